import { repositoryConfigKeys } from "../lifecycle/ownership";
import { describeFailure } from "../messages/describe-failure";
import { pulumiExitCodes } from "../pulumi/exit-codes";
import type { StackState, StateSession } from "../pulumi/stack-state";
import { type AppHealth, askApps, waitForApps } from "./app-health";
import { readApps } from "./app-output";
import { isClosedRequest } from "./closed-request";
import type { PreviewJob } from "./job";
import { whenUnlocked } from "./locked-stack";
import { readOwnState, repositoryOf } from "./own-state";
import { appLine, commentMarker, sessionLines, type UpOutcome, type UpReport, upReport } from "./report";
import { qualifyStack, stackOfRequest } from "./stack-name";

/** Which environment to create or update, and how. */
export interface UpOptions {
  readonly request: number;
  readonly commit: string;
  /** What encrypts the secrets of a new stack; `undefined` for the backend's default. */
  readonly secretsProvider: string | undefined;
  readonly lockWaitMs: number;
  /** How long to wait until the apps of the environment answer, in milliseconds. They are asked at least once. */
  readonly healthTimeoutMs: number;
}

/** Exit code when the stack existed before the update and does not exist after it. */
const stackVanished = 1;

/** Exit code when the update succeeded and an app of the environment is not known to be up. Pulumi has no such code. */
export const appNotUp = 20;

/** Namespace of the configuration that the program gets, as in `preview:request`. */
const configNamespace = "preview";

/**
 * Creates or updates the preview environment of a request, and waits until its apps answer. Reports both in the log, in the
 * job's summary and outputs, and in the one comment on the request. An app that was not healthy before the update is restarted
 * by it. Does nothing for a closed request. Its environment was already removed, and nothing would remove what an old job
 * creates that is started again.
 *
 * @returns Pulumi's exit code; 0 when there was nothing to do, 1 when the stack was removed at the same time, `appNotUp` when
 *   only an app is not up
 * @throws Error when Pulumi could not run, after it was reported. Also when the stack belongs to another project or
 *   repository; nothing was changed then
 */
export async function bringUp(job: PreviewJob, options: UpOptions): Promise<number> {
  const { pulumi, organization, signal, output } = job;
  const { request, commit, secretsProvider, lockWaitMs, healthTimeoutMs } = options;
  if (await isClosedRequest(job, request)) {
    output.warn(`Request ${request} is closed, so no environment was created. Reopen it to get one.`, "AGB729");
    return pulumiExitCodes.success;
  }
  const stack = qualifyStack(stackOfRequest(request), organization);
  const facts = { request, commit, stack };
  let exitCode: number;
  try {
    // Checked before anything is created: the stack may belong to another repository with the same backend.
    const before = await readOwnState(job, stackOfRequest(request));
    const repository = repositoryOf(job, before);
    const config = {
      [`${configNamespace}:request`]: String(request),
      [`${configNamespace}:commit`]: commit,
      ...(repository !== undefined && Object.fromEntries(repositoryConfigKeys.map((key) => [key, repository]))),
    };
    await pulumi.createStack(stack, secretsProvider);
    let attempts = 0;
    const attempt = async () => {
      attempts += 1;
      // While this run waits for a lock, the run that holds it may restart or remove the app.
      const state = attempts === 1 ? before : await pulumi.exportState(stack).catch(() => undefined);
      return pulumi.update(stack, config, await findUnhealthyApps(job, state));
    };
    exitCode = (await output.enclose(() => whenUnlocked(job, stack, lockWaitMs, attempt))).exitCode;
  } catch (error) {
    // An earlier comment would otherwise still say that the environment is ready.
    await publish(job, { ...facts, outcome: signal.aborted ? "cancelled" : "failed", sessions: undefined, apps: [] });
    throw error;
  }
  const outcome = outcomeOf(exitCode, signal);
  const found = outcome === "cancelled" ? undefined : await readState(job, stack);
  if (outcome === "ready" && found === "no stack") {
    output.warn(
      `The stack ${stack} was removed by something else during its update. Run \`up\` again if the request is open.`,
      "AGB728",
    );
    await publish(job, { ...facts, outcome: "failed", sessions: [], apps: [] });
    return stackVanished;
  }
  const sessions = found === "no stack" ? [] : found?.sessions;
  for (const line of sessionLines(sessions ?? [])) {
    output.say(line);
  }
  const outputs = outcome !== "ready" || found === "no stack" ? [] : (found?.appOutputs ?? []);
  const { apps, problems } = readApps(outputs);
  const checked = await waitForApps(job, apps, healthTimeoutMs);
  for (const health of checked) {
    reportApp(job, health);
  }
  for (const problem of problems) {
    output.fail(`${problem} Correct it in the program, so that the app can be checked.`, "AGB732");
  }
  await publish(job, { ...facts, outcome, sessions, apps: checked });
  signal.throwIfAborted();
  if (outcome !== "ready") {
    return exitCode;
  }
  // Without the state, nobody knows which apps there are.
  const isKnown = found !== undefined && problems.length === 0;
  return isKnown && checked.every(({ state }) => state === "up") ? exitCode : appNotUp;
}

/**
 * Finds the apps of the last update that are not healthy in their sessions any more. Pulumi cannot notice them, because it never
 * looks at what a command has started.
 *
 * @returns URNs of the resources that start them
 */
async function findUnhealthyApps(job: PreviewJob, state: StackState | undefined): Promise<string[]> {
  const { apps } = readApps(state?.appOutputs ?? []);
  // Pulumi refuses to replace a resource that is not in the state.
  const restartable = apps.filter(({ command }) => command !== undefined && state?.urns.has(command));
  const checked = await askApps(job, restartable);
  const unhealthy = checked.filter(({ state: found, code }) => found === "down" && code === "AGB731");
  for (const { app, reason } of unhealthy) {
    const { port, sessionId } = app;
    job.output.say(`The app on port ${port} of ${sessionId} is not healthy: ${reason}. The update restarts it.`);
  }
  return unhealthy.flatMap(({ app }) => app.command ?? []);
}

function reportApp({ output }: PreviewJob, health: AppHealth): void {
  if (health.state === "up") {
    output.say(appLine(health));
  } else {
    output.fail(appLine(health), health.code);
  }
}

function outcomeOf(exitCode: number, signal: AbortSignal): UpOutcome {
  if (exitCode === pulumiExitCodes.success) {
    return "ready";
  }
  return signal.aborted || exitCode === pulumiExitCodes.cancelled ? "cancelled" : "failed";
}

async function readState({ pulumi, output }: PreviewJob, stack: string): Promise<StackState | "no stack" | undefined> {
  try {
    return (await pulumi.exportState(stack)) ?? "no stack";
  } catch (error) {
    const { text, code } = describeFailure(error);
    output.warn(`Could not read the state of ${stack}, so no app was checked: ${text}`, code);
    return undefined;
  }
}

async function publish({ forge, project, output }: PreviewJob, facts: Omit<UpReport, "job">): Promise<void> {
  const { request, stack, outcome, sessions } = facts;
  const report = upReport({ ...facts, job: forge?.job });
  await output.summarize(report);
  if (outcome === "ready") {
    await output.publish("stack", stack);
    await output.publish("session-ids", JSON.stringify(idsByResource(sessions ?? [])));
  }
  if (forge === undefined) {
    output.warn("No comment was written, because neither GitHub nor GitLab is known.", "AGB701");
    return;
  }
  try {
    await forge.writeComment(request, commentMarker(project), report);
  } catch (error) {
    const { text, code } = describeFailure(error);
    output.warn(`Could not write the comment: ${text}`, code);
  }
}

/** Ids of the running sessions by the name of their resource, or by its URN where several have that name. */
function idsByResource(sessions: readonly StateSession[]): Record<string, string> {
  const isUnique = ({ name }: StateSession) => sessions.filter((other) => other.name === name).length === 1;
  const running = sessions.filter(({ isReleased }) => !isReleased);
  return Object.fromEntries(
    running.map((session) => [isUnique(session) ? session.name : session.urn, session.sessionId]),
  );
}
