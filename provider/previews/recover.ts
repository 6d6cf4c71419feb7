import { CodedError } from "../messages/coded-error";
import { isStackMissing } from "../pulumi/pulumi-reader";
import type { CutOffRun } from "../pulumi/run-note";
import { areHoldersDead, isOnlyHolder, lockHolders, unknownHolder } from "../pulumi/stack-lock";
import type { OrphanResult } from "../sweep/release-orphan";
import type { PreviewJob, ReleasingJob } from "./job";
import { releaseOrphans } from "./orphans";
import { readOwnState } from "./own-state";
import { qualifyStack, stackOfRequest } from "./stack-name";

/** Which stack to recover, and how. */
export interface RecoverOptions {
  readonly request: number;
  /** Takes the lock from its holder, even when no run was cut off in this folder. */
  readonly force: boolean;
}

/**
 * Cleans up the stack of a request after a run that was cut off in this folder. Ends a Pulumi that is still running,
 * frees the lock, and releases the sessions that the run created but could not save in the state. Does nothing when no
 * run was cut off here, because the lock then belongs to a run that is still active.
 *
 * @returns what became of those sessions
 * @throws CodedError when a Pulumi that is still running cannot be ended, when another run holds the lock, or when the stack
 *   belongs to another project or repository. The lock is then left
 */
export async function recover(job: ReleasingJob, { request, force }: RecoverOptions): Promise<OrphanResult[]> {
  const { pulumi, organization, output } = job;
  const stack = stackOfRequest(request);
  const name = qualifyStack(stack, organization);
  const run = await pulumi.findCutOffRun(name);
  if (run === undefined && !force) {
    output.say(`No run on ${name} was cut off here, so there is nothing to recover.`);
    return [];
  }
  if (run !== undefined) {
    await end(job, name, run);
    if (!force) {
      await refuseLockOfOther(job, name, run);
    }
  }
  // Checked before the lock is removed: the stack may belong to another repository with the same backend.
  if ((await readOwnState(job, stack)) === undefined) {
    output.say(`There is no stack ${name}. Nothing was released.`);
    run?.forget();
    return [];
  }
  await freeLock(job, name);
  const orphans = await releaseOrphans(job, stack, { minimumAgeMs: undefined, release: true, stack: "here" });
  if (orphans.length === 0) {
    output.say(`The state of ${stack} knows all its sessions.`);
  }
  run?.forget();
  return orphans;
}

async function end({ output }: PreviewJob, stack: string, run: CutOffRun): Promise<void> {
  const pulumi = `The Pulumi process of the run on ${stack} (pid ${run.pid})`;
  const result = await run.end();
  if (result === "cannot be ended") {
    throw new CodedError(
      `${pulumi} is still running and could not be ended, so its lock was left. ` +
        "End that process, then run `recover` again.",
      "AGB725",
    );
  }
  if (result !== "had ended") {
    output.say(
      `${pulumi} was still running. It ${result === "ended" ? "has ended now" : "did not end and was killed"}.`,
    );
  }
}

/**
 * The note of an old run may still be here while a run from another folder works on the stack. Pulumi Cloud does not
 * name the holder. Its lock then counts as the lock of the run that was cut off.
 */
async function refuseLockOfOther({ pulumi }: PreviewJob, stack: string, { pid }: CutOffRun): Promise<void> {
  const { stderr } = await pulumi.tryLock(stack);
  const holders = lockHolders(stderr).filter((holder) => holder !== unknownHolder);
  if (!isOnlyHolder(pid, holders) && !areHoldersDead(stderr)) {
    throw new CodedError(
      `${stack} is locked by another run than the one that was cut off here: by ${holders.join("; ")}, not by pid ${pid}. The ` +
        "lock was left and nothing was released. Wait until that run has ended, then run `recover` again. If it is dead, add " +
        "--force.",
      "AGB726",
    );
  }
}

async function freeLock({ pulumi, output }: PreviewJob, stack: string): Promise<void> {
  const result = await pulumi.cancel(stack);
  if (isStackMissing(result)) {
    output.say(`There is no stack ${stack}.`);
  } else if (result.exitCode !== 0) {
    // Pulumi Cloud refuses when no run holds the stack.
    output.say(`No lock was removed: ${result.stderr.trim()}`);
  } else {
    output.say(`${stack} is no longer locked.`);
  }
}
