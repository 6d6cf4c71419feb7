import type { Verdict } from "../lifecycle/sweep";
import { isStackMissing } from "../pulumi/pulumi-cli";
import type { ReleasingJob } from "./job";
import { releaseOrphans } from "./orphans";
import { readOwnState } from "./own-state";
import { qualifyStack, stackOfRequest } from "./stack-name";

/**
 * Puts the stack of a request in order after a run that was cancelled or failed: frees its lock at once, and releases
 * the sessions that the run made but could not write down.
 *
 * @throws Error when the stack is another project's or repository's; nothing was changed then
 * @returns what became of those sessions
 */
export async function recover(job: ReleasingJob, request: number): Promise<Verdict[]> {
  const { pulumi, organization, output } = job;
  const stack = stackOfRequest(request);
  // Before its lock is taken away: in the same backend the stack may be another repository's.
  if ((await readOwnState(job, stack)) === undefined) {
    output.say(`There is no stack ${stack}; nothing is released.`);
    return [];
  }
  const result = await pulumi.cancel(qualifyStack(stack, organization));
  if (isStackMissing(result)) {
    output.say(`There is no stack ${stack}.`);
  } else if (result.exitCode !== 0) {
    // Pulumi Cloud refuses when no run holds the stack.
    output.say(`Nothing was cancelled: ${result.stderr.trim()}`);
  } else {
    output.say(`The lock of ${stack} is free.`);
  }
  const rules = { minimumAgeMs: undefined, release: true, stack: "here", includesUnlabelled: true } as const;
  const orphans = await releaseOrphans(job, stack, rules);
  if (orphans.length === 0) {
    output.say(`No session of ${stack} is unknown to its state.`);
  }
  return orphans;
}
