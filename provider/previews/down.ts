import { isDone, type ReleaseRight, type Verdict } from "../lifecycle/sweep";
import { isStackMissing } from "../pulumi/pulumi-cli";
import { isClosedRequest } from "./closed-request";
import type { PreviewJob, ReleasingJob } from "./job";
import { whenUnlocked } from "./locked-stack";
import { releaseOrphans } from "./orphans";
import { readOwnState, repositoryOf } from "./own-state";
import { releaseRightOf } from "./release-right";
import { commentMarker, type DownReport, downReport } from "./report";
import { qualifyStack, stackOfRequest } from "./stack-name";

/** What a `down` is asked for. */
export interface DownOrder {
  readonly request: number;
  readonly lockWaitMs: number;
  /** Whether the request is known to be closed; the forge is asked when absent. */
  readonly isClosed?: boolean;
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
  /** What proved that those may be released. */
  readonly right: ReleaseRight;
}

/**
 * Takes the preview environment of a request down: its sessions, its stack, and sessions with the id of this stack that
 * its state did not know. One that is gone already is a success. The comment on the request, if there is one, then says so.
 * Where there is no stack, only sessions of this repository are released, and only once the request is closed: others may
 * be those of a live stack elsewhere.
 *
 * @throws Error when the stack is another project's or repository's; nothing was changed then
 */
export async function takeDown(
  job: ReleasingJob,
  { request, lockWaitMs, isClosed, note }: DownOrder,
): Promise<DownResult> {
  const { pulumi, organization, forge, output, includesUnidentified } = job;
  const stack = stackOfRequest(request);
  const name = qualifyStack(stack, organization);
  const state = await readOwnState(job, stack);
  const hadStack = state !== undefined;
  if (!hadStack) {
    output.say(`There is no stack ${name}.`);
  } else {
    const result = await output.enclose(() => whenUnlocked(job, name, lockWaitMs, () => pulumi.destroy(name)));
    if (result.exitCode !== 0 && !isStackMissing(result)) {
      return { exitCode: result.exitCode, hadStack: true, orphans: [], right: releaseRightOf(state, false) };
    }
  }
  const worker = { ...job, repository: repositoryOf(job, state) };
  const isOver = isClosed ?? (job.repository !== undefined && (await isClosedRequest(job, request)));
  const right = {
    ...releaseRightOf(state, includesUnidentified),
    closedRepository: isOver ? job.repository : undefined,
  };
  const rules = { minimumAgeMs: undefined, release: true, stack: "gone", right } as const;
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
    return { exitCode: 0, hadStack, orphans, right };
  }
  await tell(job, { ...report, areSessionsGone: orphans.every(isDone) });
  return { exitCode: 0, hadStack, orphans, right };
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
