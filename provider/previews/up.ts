import { repositoryConfigKey } from "../lifecycle/ownership";
import { pulumiExitCodes } from "../pulumi/exit-codes";
import type { StateSession } from "../pulumi/stack-state";
import { isClosedRequest } from "./closed-request";
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

/** Exit code when the stack was there for the update and is not there after it. */
const stackVanished = 1;

/** Namespace of the values that the program gets, as in `preview:request`. */
const configNamespace = "preview";

/**
 * Brings up the preview environment of a request, or up to date, and tells of it: in the log, in the job's summary and
 * outputs, and in the one comment on the request. For a closed request it does nothing: its teardown has been, and an old
 * job that is started again must not make what nobody would take down.
 *
 * @returns Pulumi's exit code; 0 when there was nothing to do, 1 when the stack was removed at the same time
 * @throws what kept Pulumi from its work, after that was told as well: among other things that the stack is another project's
 *   or repository's, of which nothing was changed then
 */
export async function bringUp(job: PreviewJob, order: UpOrder): Promise<number> {
  const { pulumi, organization, signal, output } = job;
  const { request, commit, secretsProvider, lockWaitMs } = order;
  if (await isClosedRequest(job, request)) {
    output.warn(`Request ${request} is closed: no environment is made for it.`);
    return pulumiExitCodes.success;
  }
  const stack = qualifyStack(stackOfRequest(request), organization);
  let exitCode: number;
  try {
    // Before anything is made: in the same backend the stack may be another repository's.
    const repository = repositoryOf(job, await readOwnState(job, stackOfRequest(request)));
    const config = {
      [`${configNamespace}:request`]: String(request),
      [`${configNamespace}:commit`]: commit,
      ...(repository !== undefined && { [repositoryConfigKey]: repository }),
    };
    await pulumi.createStack(stack, secretsProvider);
    const update = () => whenUnlocked(job, stack, lockWaitMs, () => pulumi.update(stack, config));
    exitCode = (await output.enclose(update)).exitCode;
  } catch (error) {
    // Else an earlier comment would go on to say that all is well.
    await publish(job, order, stack, signal.aborted ? "cancelled" : "failed", undefined);
    throw error;
  }
  const outcome = outcomeOf(exitCode, signal);
  const found = outcome === "cancelled" ? undefined : await readSessions(job, stack);
  if (outcome === "ready" && found === "no stack") {
    output.warn(`The stack ${stack} does not exist any more after its update: something else removed it.`);
    await publish(job, order, stack, "failed", []);
    return stackVanished;
  }
  const sessions = found === "no stack" ? [] : found;
  for (const line of sessionLines(sessions ?? [])) {
    output.say(line);
  }
  await publish(job, order, stack, outcome, sessions);
  return exitCode;
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
): Promise<readonly StateSession[] | "no stack" | undefined> {
  try {
    return (await pulumi.exportState(stack))?.sessions ?? "no stack";
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
    await output.publish("stack", stack);
    await output.publish("session-ids", JSON.stringify(idsByResource(sessions ?? [])));
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

/** Ids of the sessions that run, by the name of their resource; where several have that name, by their URNs. */
function idsByResource(sessions: readonly StateSession[]): Record<string, string> {
  const isUnique = ({ name }: StateSession) => sessions.filter((other) => other.name === name).length === 1;
  const running = sessions.filter(({ isReleased }) => !isReleased);
  return Object.fromEntries(
    running.map((session) => [isUnique(session) ? session.name : session.urn, session.sessionId]),
  );
}
