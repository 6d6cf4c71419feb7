import type { CommandResult } from "../pulumi/pulumi-process";
import { areHoldersDead, lockHolders } from "../pulumi/stack-lock";
import type { PreviewJob } from "./job";

const pollIntervalMs = 3_000;
const mostCancels = 3;

/** How long to wait for the lock of a stack, in milliseconds, when nothing else is asked for. */
export const defaultLockWaitMs = 10 * 60_000;

/**
 * Runs a command on a stack. When another run holds the stack's lock it waits for that to end; a lock that the same
 * run still holds after the wait is taken for a dead run's and is taken away, and so is at once the lock of a process of this
 * machine that lives no more.
 *
 * @param attempt runs the command
 * @throws StoppedError when the job is asked to stop while it waits
 * @throws Error when the stack is locked again and again
 */
export async function whenUnlocked(
  { pulumi, clock, pause, output }: Pick<PreviewJob, "pulumi" | "clock" | "pause" | "output">,
  stack: string,
  waitMs: number,
  attempt: () => Promise<CommandResult>,
): Promise<CommandResult> {
  let firstSeenMs = new Map<string, number>();
  for (let cancels = 0; ; ) {
    const result = await attempt();
    const holders = result.exitCode === 0 ? [] : lockHolders(result.stderr);
    if (holders.length === 0) {
      return result;
    }
    const now = clock.elapsedMs();
    const isNews = holders.every((holder) => !firstSeenMs.has(holder));
    // Others that wait show up among the holders for a moment; only who stays there counts.
    firstSeenMs = new Map(holders.map((holder) => [holder, firstSeenMs.get(holder) ?? now]));
    const isDead = areHoldersDead(result.stderr);
    const leftMs = isDead ? 0 : Math.min(...firstSeenMs.values()) + waitMs - now;
    if (leftMs > 0) {
      if (isNews) {
        output.say(`${stack} is locked (${holders.join("; ")}); waiting up to ${Math.ceil(leftMs / 1_000)} seconds.`);
      }
      await pause(Math.min(pollIntervalMs, leftMs));
      continue;
    }
    if (cancels === mostCancels) {
      throw new Error(`${stack} is locked again and again (${holders.join("; ")}).`);
    }
    output.warn(
      isDead
        ? `${stack} is locked by a dead run (${holders.join("; ")}): the lock is taken away.`
        : `${stack} is still locked (${holders.join("; ")}): the lock is taken for a dead run's, and taken away.`,
    );
    // Whether that helped is seen at the next attempt: a run that ended just now leaves nothing to cancel.
    await pulumi.cancel(stack);
    cancels += 1;
    firstSeenMs = new Map();
  }
}
