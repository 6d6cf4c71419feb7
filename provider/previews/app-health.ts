import type { AgbClient } from "../api/client";
import { AgbNotFoundError } from "../api/errors";
import { getLink } from "../api/links";
import { askAppScript, askLimitMs, redirectAdvice } from "../lifecycle/app-scripts";
import { AgbToolError, runShellScript } from "../lifecycle/session-shell";
import { describeFailure } from "../messages/describe-failure";
import type { MessageCode } from "../messages/message-codes";
import type { PreviewApp } from "./app-output";
import { type Probe, probeApp, stoppedReason } from "./app-probe";
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
const stopped: Finding = { state: "unknown", reason: stoppedReason, code: "AGB611" };

/** How long a single question may take, in milliseconds. The last one may end after the time that is left. */
const probeLimitMs = 10_000;
const shortestProbeMs = 2_000;
const pauseMs = 1_000;

/**
 * Waits until each app answers its health check, through a link of AGB and in its session. A gateway may answer in place of an
 * app, and the way to an app that works may be blocked.
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
    const isOver = clock.elapsedMs() >= deadlineMs;
    if (probe.result === "healthy" || isOver) {
      const finding = await judge(client, app, probe);
      if (finding.state === "up" || isOver) {
        return signal.aborted ? stopped : finding;
      }
    }
    if (signal.aborted) {
      return stopped;
    }
    try {
      await pause(Math.min(pauseMs, Math.max(1, deadlineMs - clock.elapsedMs())));
    } catch {
      return stopped;
    }
  }
}

/** What the answers of an app through its link and in its session mean together. */
async function judge(client: AgbClient, app: PreviewApp, probe: Probe): Promise<Finding> {
  let inSession: Finding;
  try {
    inSession = await askInSession(client, app);
  } catch (error) {
    if (error instanceof AgbNotFoundError) {
      return gone;
    }
    // Where the session runs no scripts, only the link tells.
    return probe.result === "healthy"
      ? up
      : { state: probe.result === "unhealthy" ? "down" : "unknown", reason: probe.reason, code: "AGB731" };
  }
  return inSession.state === "up" && probe.result !== "healthy"
    ? { state: "unreachable", reason: probe.reason, code: "AGB733" }
    : inSession;
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
  const redirect = status.startsWith("3") ? redirectAdvice : "";
  const reason =
    status === "" ? `nothing answers on port ${app.port} in its session` : `it answers HTTP ${status}${redirect}`;
  return { state: "down", reason, code: "AGB731" };
}

function unknownBecause(error: unknown): Finding {
  const { text, code } = describeFailure(error);
  return { state: "unknown", reason: text.replace(/\.$/, ""), code };
}
