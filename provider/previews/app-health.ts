import type { AgbClient } from "../api/client";
import { AgbNotFoundError } from "../api/errors";
import { getLink } from "../api/links";
import { askAppScript, askLimitMs } from "../lifecycle/app-scripts";
import { AgbToolError, runShellScript } from "../lifecycle/session-shell";
import { describeFailure } from "../messages/describe-failure";
import type { MessageCode } from "../messages/message-codes";
import type { PreviewApp } from "./app-output";
import { type Probe, probeApp } from "./app-probe";
import type { PreviewJob } from "./job";

/** What a check of an app found. */
export interface AppHealth {
  readonly app: PreviewApp;
  /** `unreachable`: it works in its session, but not through AGB's link. `unknown`: nobody could ask the app. */
  readonly state: "up" | "down" | "unreachable" | "unknown";
  /** Why it is not up, in words without any part of its link; empty when it is up. */
  readonly reason: string;
  readonly code: MessageCode;
}

type Finding = Omit<AppHealth, "app">;

const up: Finding = { state: "up", reason: "", code: "AGB731" };
const gone: Finding = { state: "down", reason: "AGB has released the session", code: "AGB404" };
const stopped: Finding = { state: "unknown", reason: "the job was stopped before the app answered", code: "AGB611" };

/** How long a single question may take, in milliseconds. The last one may end after the time that is left. */
const probeLimitMs = 10_000;
const shortestProbeMs = 2_000;
const pauseMs = 1_000;

/**
 * Waits until each app answers its health check, through a link of AGB. An app that does not is asked in its session too, to
 * find out whether the app or the way to it is the reason.
 *
 * @param timeoutMs how long to wait for all of them together; each is asked at least once
 * @returns what was found out last, in the same order. A request to stop ends the wait
 */
export function waitForApps(
  job: PreviewJob,
  apps: readonly PreviewApp[],
  timeoutMs: number,
): Promise<readonly AppHealth[]> {
  const deadlineMs = job.clock.elapsedMs() + timeoutMs;
  return checkApps(job, apps, (client, app) => waitForApp(job, client, app, deadlineMs));
}

/** Asks each app in its session. A way to the session that does not work makes no app silent. */
export function askApps(job: PreviewJob, apps: readonly PreviewApp[]): Promise<readonly AppHealth[]> {
  return checkApps(job, apps, askInSession);
}

async function checkApps(
  job: PreviewJob,
  apps: readonly PreviewApp[],
  check: (client: AgbClient, app: PreviewApp) => Promise<Finding>,
): Promise<readonly AppHealth[]> {
  if (apps.length === 0) {
    return [];
  }
  const checkOne = async (client: AgbClient, app: PreviewApp) => {
    try {
      return { app, ...(await check(client.untilAborted(job.signal), app)) };
    } catch (error) {
      return { app, ...(error instanceof AgbNotFoundError ? gone : unknownBecause(error)) };
    }
  };
  try {
    return await job.withClient((client) => Promise.all(apps.map((app) => checkOne(client, app))));
  } catch (error) {
    // Without a client, for example without a key, no app can be asked.
    return apps.map((app) => ({ app, ...unknownBecause(error) }));
  }
}

async function waitForApp(job: PreviewJob, client: AgbClient, app: PreviewApp, deadlineMs: number): Promise<Finding> {
  const { clock, pause, signal, environment } = job;
  const link = await getLink(client, app.sessionId, app.port);
  for (;;) {
    const leftMs = Math.ceil(deadlineMs - clock.elapsedMs());
    const timeoutMs = Math.min(probeLimitMs, Math.max(shortestProbeMs, leftMs));
    const probe = await probeApp(link, app.healthPath, { timeoutMs, stop: signal, environment });
    if (probe.result === "healthy") {
      return up;
    }
    if (signal.aborted) {
      return stopped;
    }
    const pauseLeftMs = deadlineMs - clock.elapsedMs();
    if (pauseLeftMs <= 0) {
      return explain(client, app, probe);
    }
    try {
      await pause(Math.min(pauseMs, pauseLeftMs));
    } catch {
      return stopped;
    }
  }
}

/** Finds out whether an app that is not healthy through its link is healthy in its session. */
async function explain(client: AgbClient, app: PreviewApp, { result, reason }: Exclude<Probe, { result: "healthy" }>) {
  let inSession: Finding;
  try {
    inSession = await askInSession(client, app);
  } catch (error) {
    if (error instanceof AgbNotFoundError) {
      return gone;
    }
    const state = result === "unhealthy" ? "down" : "unknown";
    return { state, reason, code: "AGB731" } satisfies Finding;
  }
  return inSession.state === "up" ? ({ state: "unreachable", reason, code: "AGB733" } satisfies Finding) : inSession;
}

async function askInSession(client: AgbClient, app: PreviewApp): Promise<Finding> {
  const { sessionId } = app;
  const options = { script: askAppScript(app), timeoutMs: askLimitMs };
  const { stdout, stderr, exitCode } = await runShellScript(client, sessionId, options);
  const status = stdout.trim();
  if (exitCode !== 0 || !/^(\d{3})?$/.test(status)) {
    throw new AgbToolError("shell", sessionId, client.clean(stderr) || `it ended with exit code ${exitCode}`);
  }
  if (status.startsWith("2")) {
    return up;
  }
  const reason = status === "" ? `nothing answers on port ${app.port} in its session` : `it answers HTTP ${status}`;
  return { state: "down", reason, code: "AGB731" };
}

function unknownBecause(error: unknown): Finding {
  const { text, code } = describeFailure(error);
  return { state: "unknown", reason: text.replace(/\.$/, ""), code };
}
