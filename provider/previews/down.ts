import type { Verdict } from "../lifecycle/sweep";
import { isStackMissing } from "../pulumi/pulumi-cli";
import type { PreviewJob, ReleasingJob } from "./job";
import { whenUnlocked } from "./locked-stack";
import { releaseOrphans } from "./orphans";
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
 * knew. One that is gone already is a success. The comment on the request, if there is one, then says so.
 */
export async function takeDown(job: ReleasingJob, { request, lockWaitMs, note }: DownOrder): Promise<DownResult> {
  const { pulumi, organization, project, forge, output } = job;
  const stack = stackOfRequest(request);
  const name = qualifyStack(stack, organization);
  const state = await pulumi.exportState(name);
  if (state?.name !== undefined && state.name.project !== project) {
    throw new Error(`${name} is a stack of the project ${state.name.project}, not of ${project}; it is left alone.`);
  }
  if (state === undefined) {
    output.say(`There is no stack ${name}.`);
  } else {
    const result = await output.enclose(() => whenUnlocked(job, name, lockWaitMs, () => pulumi.destroy(name)));
    if (result.exitCode !== 0 && !isStackMissing(result)) {
      return { exitCode: result.exitCode, hadStack: true, orphans: [] };
    }
  }
  const report = { request, stack: name, job: forge?.job, note };
  let orphans: Verdict[];
  try {
    orphans = await releaseOrphans(job, stack, { minimumAgeMs: undefined, release: true, onlyWhenGone: true });
  } catch (error) {
    await tell(job, { ...report, areSessionsGone: false });
    throw error;
  }
  await tell(job, { ...report, areSessionsGone: orphans.every(({ action }) => action === "released") });
  return { exitCode: 0, hadStack: state !== undefined, orphans };
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
