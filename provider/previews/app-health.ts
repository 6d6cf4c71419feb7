import type { AgbClient } from "../api/client";
import { AgbNotFoundError } from "../api/errors";
import { getLink } from "../api/links";
import { describeFailure } from "../messages/describe-failure";
import type { MessageCode } from "../messages/message-codes";
import type { PreviewApp } from "./app-output";
import { probeApp } from "./app-probe";
import type { PreviewJob } from "./job";

/** What a check of an app found. */
export interface AppHealth {
  readonly app: PreviewApp;
  /** `unknown`: nobody could ask the app. */
  readonly state: "up" | "down" | "unknown";
  /** Why it is not up, in words without any part of its link; empty when it is up. */
  readonly reason: string;
  readonly code: MessageCode;
}

/** How long a single question may take, in milliseconds. */
const probeLimitMs = 10_000;
const pauseMs = 1_000;

/**
 * Waits until each app answers its health check, through a link of AGB.
 *
 * @param timeoutMs how long to wait for all of them together; each is asked at least once
 * @returns what was found out last, in the same order. A request to stop ends the wait
 */
export async function waitForApps(
  job: PreviewJob,
  apps: readonly PreviewApp[],
  timeoutMs: number,
): Promise<readonly AppHealth[]> {
  if (apps.length === 0) {
    return [];
  }
  const deadlineMs = job.clock.elapsedMs() + timeoutMs;
  try {
    return await job.withClient((client) => Promise.all(apps.map((app) => waitForApp(job, client, app, deadlineMs))));
  } catch (error) {
    // Without a client, for example without a key, no app can be asked.
    return apps.map((app) => ({ app, state: "unknown", ...reasonOf(error) }));
  }
}

/** Asks each app once. */
export function askApps(job: PreviewJob, apps: readonly PreviewApp[]): Promise<readonly AppHealth[]> {
  return waitForApps(job, apps, 0);
}

async function waitForApp(job: PreviewJob, client: AgbClient, app: PreviewApp, deadlineMs: number): Promise<AppHealth> {
  const { clock, pause, signal, environment } = job;
  let link: string;
  try {
    link = await getLink(client.untilAborted(signal), app.sessionId, app.port);
  } catch (error) {
    const isGone = error instanceof AgbNotFoundError;
    return isGone
      ? { app, state: "down", reason: "AGB has released the session", code: "AGB404" }
      : { app, state: "unknown", ...reasonOf(error) };
  }
  for (;;) {
    const leftMs = deadlineMs - clock.elapsedMs();
    const timeoutMs = leftMs > 0 ? Math.min(probeLimitMs, Math.ceil(leftMs)) : probeLimitMs;
    const reason = await probeApp(link, app.healthPath, { timeoutMs, stop: signal, environment });
    if (reason === undefined) {
      return { app, state: "up", reason: "", code: "AGB731" };
    }
    const pauseLeftMs = deadlineMs - clock.elapsedMs();
    if (pauseLeftMs <= 0) {
      return { app, state: "down", reason, code: "AGB731" };
    }
    try {
      await pause(Math.min(pauseMs, pauseLeftMs));
    } catch {
      return { app, state: "unknown", reason: "the job was stopped before the app answered", code: "AGB611" };
    }
  }
}

function reasonOf(error: unknown): Pick<AppHealth, "reason" | "code"> {
  const { text, code } = describeFailure(error);
  return { reason: text.replace(/\.$/, ""), code };
}
