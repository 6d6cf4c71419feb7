import type { Verdict } from "../lifecycle/sweep";
import { isStackMissing } from "../pulumi/pulumi-cli";
import type { PreviewJob, ReleasingJob } from "./job";
import { whenUnlocked } from "./locked-stack";
import { releaseOrphans } from "./orphans";
import { readOwnState, repositoryOf } from "./own-state";
import { commentMarker, type DownReport, downReport } from "./report";
import { qualifyStack, stackOfRequest } from "./stack-name";

/** What a `down` is asked for. */
export interface DownOrder {
  readonly request: number;
  readonly lockWaitMs: number;
  /** A sentence about the reason, for the comment. */
  readonly note?: string;
}

/** What a `down` did. */
export interface DownResult {
  /** Pulumi's exit code; 0 when there was no stack. */
  readonly exitCode: number;
  /** Whether there was a stack. */
  readonly hadStack: boolean;
  /** The sessions that the stack's state did not know. */
  readonly orphans: readonly Verdict[];
}

/**
 * Takes the preview environment of a request down: its sessions, its stack, and sessions with its labels that no state
 * knew. One that is gone already is a success. The comment on the request, if there is one, then says so. Where there is
 * no stack, only sessions that carry this repository's label are released: others may be those of a live stack elsewhere.
 *
 * @throws Error when the stack is another project's or repository's; nothing was changed then
 */
export async function takeDown(job: ReleasingJob, { request, lockWaitMs, note }: DownOrder): Promise<DownResult> {
  const { pulumi, organization, forge, output } = job;
  const stack = stackOfRequest(request);
  const name = qualifyStack(stack, organization);
  const state = await readOwnState(job, stack);
  const hadStack = state !== undefined;
  if (!hadStack) {
    output.say(`There is no stack ${name}.`);
  } else {
    const result = await output.enclose(() => whenUnlocked(job, name, lockWaitMs, () => pulumi.destroy(name)));
    if (result.exitCode !== 0 && !isStackMissing(result)) {
      return { exitCode: result.exitCode, hadStack: true, orphans: [] };
    }
  }
  const worker = { ...job, repository: repositoryOf(job, state) };
  const rules = { minimumAgeMs: undefined, release: true, stack: "gone", includesUnlabelled: hadStack } as const;
  const report = { request, stack: name, job: forge?.job, note };
  let orphans: Verdict[];
  try {
    orphans = await releaseOrphans(worker, stack, rules);
  } catch (error) {
    await tell(job, { ...report, areSessionsGone: false });
    throw error;
  }
  if (!hadStack && orphans.some(({ action }) => action === "left")) {
    output.warn(
      `There is no stack ${name} here, but there are sessions with its labels, which were left: this job may have the wrong ` +
        "backend. Run `down` with the right one; if the stack is gone for good, AGB releases them in time.",
    );
    return { exitCode: 0, hadStack, orphans };
  }
  await tell(job, { ...report, areSessionsGone: orphans.every(({ action }) => action === "released") });
  return { exitCode: 0, hadStack, orphans };
}

async function tell({ forge, project, output }: PreviewJob, facts: DownReport): Promise<void> {
  const report = downReport(facts);
  await output.summarize(report);
  try {
    await forge?.writeComment(facts.request, commentMarker(project), report, "replace");
  } catch (error) {
    output.warn(`The comment was not changed: ${error instanceof Error ? error.message : error}`);
  }
}
