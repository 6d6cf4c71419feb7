import type { Verdict } from "../lifecycle/sweep";
import { isStackMissing } from "../pulumi/pulumi-cli";
import type { CutOffRun } from "../pulumi/run-note";
import { areHoldersDead, isOnlyHolder, lockHolders, unknownHolder } from "../pulumi/stack-lock";
import type { PreviewJob, ReleasingJob } from "./job";
import { releaseOrphans } from "./orphans";
import { readOwnState } from "./own-state";
import { releaseRightOf } from "./release-right";
import { qualifyStack, stackOfRequest } from "./stack-name";

/** What a `recover` is asked for. */
export interface RecoverOrder {
  readonly request: number;
  /** Takes the lock from its holder, also when no run was cut off in this folder. */
  readonly force: boolean;
}

/**
 * Puts the stack of a request in order after a run that was cut off in this folder: ends a Pulumi that lives on, frees the
 * lock, and releases the sessions that the run made but could not write down. When no run was cut off here it does nothing:
 * the lock would be that of a run that lives.
 *
 * @returns what became of those sessions
 * @throws Error when the Pulumi that lives on cannot be ended, when another run holds the lock, or when the stack is another
 *   project's or repository's; its lock is left then
 */
export async function recover(job: ReleasingJob, { request, force }: RecoverOrder): Promise<Verdict[]> {
  const { pulumi, organization, output } = job;
  const stack = stackOfRequest(request);
  const name = qualifyStack(stack, organization);
  const run = await pulumi.findCutOffRun(name);
  if (run === undefined && !force) {
    output.say(`No run on ${name} was cut off here, so there is nothing to put in order.`);
    return [];
  }
  if (run !== undefined) {
    await end(job, name, run);
    if (!force) {
      await refuseLockOfOther(job, name, run);
    }
  }
  // Before its lock is taken away: in the same backend the stack may be another repository's.
  if ((await readOwnState(job, stack)) === undefined) {
    output.say(`There is no stack ${name}; nothing is released.`);
    run?.forget();
    return [];
  }
  await freeLock(job, name);
  const right = releaseRightOf(undefined, job.includesUnidentified);
  const rules = { minimumAgeMs: undefined, release: true, stack: "here", right } as const;
  const orphans = await releaseOrphans(job, stack, rules);
  if (orphans.length === 0) {
    output.say(`No session of ${stack} is unknown to its state.`);
  }
  run?.forget();
  return orphans;
}

async function end({ output }: PreviewJob, stack: string, run: CutOffRun): Promise<void> {
  const pulumi = `The Pulumi that was at ${stack} (pid ${run.pid})`;
  const result = await run.end();
  if (result === "cannot be ended") {
    throw new Error(`${pulumi} lives on and cannot be ended, so its lock is left.`);
  }
  if (result !== "had ended") {
    output.say(`${pulumi} lived on; it ${result === "ended" ? "has ended now" : "did not end and was killed"}.`);
  }
}

/**
 * The note of an old run may still be here while a run from another folder works on the stack. Where the backend does not
 * name the holder, as Pulumi Cloud, the lock is taken for that of the run that was cut off.
 */
async function refuseLockOfOther({ pulumi }: PreviewJob, stack: string, { pid }: CutOffRun): Promise<void> {
  const { stderr } = await pulumi.tryLock(stack);
  const holders = lockHolders(stderr).filter((holder) => holder !== unknownHolder);
  if (!isOnlyHolder(pid, holders) && !areHoldersDead(stderr)) {
    throw new Error(
      `${stack} is locked (${holders.join("; ")}), and not by the Pulumi that was cut off here (pid ${pid}). The lock is left, ` +
        "and nothing is released. Wait until that run has ended, then run `recover` again; if it is dead, add --force.",
    );
  }
}

async function freeLock({ pulumi, output }: PreviewJob, stack: string): Promise<void> {
  const result = await pulumi.cancel(stack);
  if (isStackMissing(result)) {
    output.say(`There is no stack ${stack}.`);
  } else if (result.exitCode !== 0) {
    // Pulumi Cloud refuses when no run holds the stack.
    output.say(`Nothing was cancelled: ${result.stderr.trim()}`);
  } else {
    output.say(`The lock of ${stack} is free.`);
  }
}
