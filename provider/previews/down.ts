import { describeFailure } from "../messages/describe-failure";
import { isStackMissing } from "../pulumi/pulumi-reader";
import { isSettled, type OrphanResult } from "../sweep/release-orphan";
import { proofOf, type StateProof } from "../sweep/state-proof";
import { isClosedRequest } from "./closed-request";
import type { PreviewJob, ReleasingJob } from "./job";
import { whenUnlocked } from "./locked-stack";
import { releaseOrphans } from "./orphans";
import { readOwnState, repositoryOf } from "./own-state";
import { commentMarker, type DownReport, downReport } from "./report";
import { qualifyStack, stackOfRequest } from "./stack-name";

/** Which environment to remove. */
export interface DownOptions {
  readonly request: number;
  readonly lockWaitMs: number;
  /** Whether the request is known to be closed. Default: the forge is asked. */
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
  readonly orphans: readonly OrphanResult[];
  /** What the stack's state proved about such sessions. */
  readonly proof: StateProof;
}

/**
 * Removes the preview environment of a request: its sessions, its stack, and the sessions with this stack's id that its
 * state did not know. Succeeds when the environment is already gone. Updates the comment on the request, if there is one.
 * When there is no stack, it releases only sessions of this repository, and only when the request is closed. Others may
 * belong to a live stack in another backend.
 *
 * @throws CodedError when the stack belongs to another project or repository; nothing was changed then
 */
export async function takeDown(
  job: ReleasingJob,
  { request, lockWaitMs, isClosed, note }: DownOptions,
): Promise<DownResult> {
  const { pulumi, organization, forge, output } = job;
  const stack = stackOfRequest(request);
  const name = qualifyStack(stack, organization);
  // Read before the destroy, which removes what proves whose sessions these are.
  const state = await readOwnState(job, stack);
  const proof = proofOf(state);
  const hadStack = state !== undefined;
  if (!hadStack) {
    output.say(`There is no stack ${name}.`);
  } else {
    const result = await output.enclose(() => whenUnlocked(job, name, lockWaitMs, () => pulumi.destroy(name)));
    if (result.exitCode !== 0 && !isStackMissing(result)) {
      return { exitCode: result.exitCode, hadStack, orphans: [], proof };
    }
  }
  const isOver = isClosed ?? (job.repository !== undefined && (await isClosedRequest(job, request)));
  const report = { request, stack: name, job: forge?.job, note };
  let orphans: OrphanResult[];
  try {
    orphans = await releaseOrphans({ ...job, repository: repositoryOf(job, state) }, stack, {
      minimumAgeMs: undefined,
      release: true,
      stack: "gone",
      proof,
      closedRepository: isOver ? job.repository : undefined,
    });
  } catch (error) {
    await publish(job, { ...report, areSessionsGone: false });
    throw error;
  }
  if (!hadStack && orphans.some(({ action }) => action === "left")) {
    output.warn(
      `Sessions with the labels of ${name} were left, because there is no such stack here. This job may use the wrong ` +
        "backend: set PULUMI_BACKEND_URL or --organization and run `down` again. If the stack was removed, AGB releases " +
        "the sessions in time.",
      "AGB727",
    );
    return { exitCode: 0, hadStack, orphans, proof };
  }
  await publish(job, { ...report, areSessionsGone: orphans.every(isSettled) });
  return { exitCode: 0, hadStack, orphans, proof };
}

async function publish({ forge, project, output }: PreviewJob, facts: DownReport): Promise<void> {
  const report = downReport(facts);
  await output.summarize(report);
  try {
    await forge?.writeComment(facts.request, commentMarker(project), report, "replace");
  } catch (error) {
    const { text, code } = describeFailure(error);
    output.warn(`Could not update the comment: ${text}`, code);
  }
}
