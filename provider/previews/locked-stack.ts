import { CodedError } from "../messages/coded-error";
import type { CommandResult } from "../pulumi/pulumi-process";
import { areHoldersDead, lockHolders } from "../pulumi/stack-lock";
import type { PreviewJob } from "./job";

const pollIntervalMs = 3_000;
const mostCancels = 3;

/** How long to wait for the lock of a stack by default, in milliseconds. */
export const defaultLockWaitMs = 10 * 60_000;

/**
 * Runs a command on a stack. Waits while another run holds the stack's lock. Treats a run that still holds it after the
 * wait as dead, and removes its lock. Removes locks of processes of this machine that are known to be dead immediately.
 *
 * @param attempt runs the command
 * @throws StoppedError when the job is asked to stop while it waits
 * @throws CodedError when the stack is still locked after several locks were removed
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
    // Other waiting runs appear among the holders for a moment. Only holders that stay count.
    firstSeenMs = new Map(holders.map((holder) => [holder, firstSeenMs.get(holder) ?? now]));
    const isDead = areHoldersDead(result.stderr);
    const leftMs = isDead ? 0 : Math.min(...firstSeenMs.values()) + waitMs - now;
    if (leftMs > 0) {
      if (isNews) {
        output.say(`${stack} is locked (${holders.join("; ")}). Waiting up to ${Math.ceil(leftMs / 1_000)} seconds.`);
      }
      await pause(Math.min(pollIntervalMs, leftMs));
      continue;
    }
    if (cancels === mostCancels) {
      throw new CodedError(
        `${stack} is still locked (${holders.join("; ")}), although ${mostCancels} locks were removed. ` +
          "Wait until no run uses it, then run this again.",
        "AGB724",
      );
    }
    output.warn(
      isDead
        ? `${stack} is locked by a dead run (${holders.join("; ")}). Removing the lock.`
        : `${stack} is still locked after the wait (${holders.join("; ")}). Treating that run as dead and removing its lock.`,
      "AGB724",
    );
    // The next attempt shows whether that helped: a run that has just ended leaves nothing to cancel.
    await pulumi.cancel(stack);
    cancels += 1;
    firstSeenMs = new Map();
  }
}
