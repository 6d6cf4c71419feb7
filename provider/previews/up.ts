import { repositoryConfigKey } from "../lifecycle/ownership";
import { pulumiExitCodes } from "../pulumi/exit-codes";
import type { StateSession } from "../pulumi/stack-state";
import type { PreviewJob } from "./job";
import { whenUnlocked } from "./locked-stack";
import { readOwnState, repositoryOf } from "./own-state";
import { commentMarker, sessionLines, type UpOutcome, upReport } from "./report";
import { qualifyStack, stackOfRequest } from "./stack-name";

/** What an `up` is asked for. */
export interface UpOrder {
  readonly request: number;
  readonly commit: string;
  /** What the secrets of a new stack are encrypted with; the backend's own way when absent. */
  readonly secretsProvider: string | undefined;
  readonly lockWaitMs: number;
}

/** Namespace of the values that the program gets, as in `preview:request`. */
const configNamespace = "preview";

/**
 * Brings up the preview environment of a request, or up to date, and tells of it: in the log, in the job's summary and
 * outputs, and in the one comment on the request. For a closed request it does nothing: its teardown has been, and an old
 * job that is started again must not make what nobody would take down.
 *
 * @throws Error when the stack is another project's or repository's; nothing was changed then
 * @returns Pulumi's exit code; 0 when there was nothing to do
 */
export async function bringUp(job: PreviewJob, order: UpOrder): Promise<number> {
  const { pulumi, organization, signal, output } = job;
  const { request, commit, secretsProvider, lockWaitMs } = order;
  if (await isClosed(job, request)) {
    output.warn(`Request ${request} is closed: no environment is made for it.`);
    return pulumiExitCodes.success;
  }
  const stack = qualifyStack(stackOfRequest(request), organization);
  // Before anything is made: in the same backend the stack may be another repository's.
  const repository = repositoryOf(job, await readOwnState(job, stackOfRequest(request)));
  await pulumi.createStack(stack, secretsProvider);
  const config = {
    [`${configNamespace}:request`]: String(request),
    [`${configNamespace}:commit`]: commit,
    ...(repository !== undefined && { [repositoryConfigKey]: repository }),
  };
  const { exitCode } = await whenUnlocked(job, stack, lockWaitMs, () => pulumi.update(stack, config));
  const outcome = outcomeOf(exitCode, signal);
  const sessions = outcome === "cancelled" ? undefined : await readSessions(job, stack);
  for (const line of sessionLines(sessions ?? [])) {
    output.say(line);
  }
  await publish(job, order, stack, outcome, sessions);
  return exitCode;
}

async function isClosed({ forge, output }: PreviewJob, request: number): Promise<boolean> {
  try {
    return (await forge?.readRequest(request))?.isOpen === false;
  } catch (error) {
    output.warn(`Whether request ${request} is open is not known: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

function outcomeOf(exitCode: number, signal: AbortSignal): UpOutcome {
  if (exitCode === pulumiExitCodes.success) {
    return "ready";
  }
  return signal.aborted || exitCode === pulumiExitCodes.cancelled ? "cancelled" : "failed";
}

async function readSessions(
  { pulumi, output }: PreviewJob,
  stack: string,
): Promise<readonly StateSession[] | undefined> {
  try {
    return (await pulumi.exportState(stack))?.sessions;
  } catch (error) {
    output.warn(`The sessions of ${stack} are not known: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

async function publish(
  { forge, project, output }: PreviewJob,
  { request, commit }: UpOrder,
  stack: string,
  outcome: UpOutcome,
  sessions: readonly StateSession[] | undefined,
): Promise<void> {
  const report = upReport({ request, commit, stack, outcome, sessions, job: forge?.job });
  await output.summarize(report);
  if (outcome === "ready") {
    const ids = (sessions ?? [])
      .filter(({ isReleased }) => !isReleased)
      .map(({ name, sessionId }) => [name, sessionId]);
    await output.publish("stack", stack);
    await output.publish("session-ids", JSON.stringify(Object.fromEntries(ids)));
  }
  if (forge === undefined) {
    output.say("No forge is known, so no comment is written.");
    return;
  }
  try {
    await forge.writeComment(request, commentMarker(project), report);
  } catch (error) {
    output.warn(`The comment was not written: ${error instanceof Error ? error.message : error}`);
  }
}
