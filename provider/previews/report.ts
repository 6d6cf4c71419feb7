import type { JobLinks } from "../forge/forge";
import { codeBlock, link, literal, rowsWithin, tableHead, tableRow } from "../forge/markdown";
import { createTokenTime, isReserved, ownershipKeys } from "../lifecycle/ownership";
import { type StateSession, secretText } from "../pulumi/stack-state";
import type { AppHealth } from "./app-health";
import type { PreviewApp } from "./app-output";

/** How an `up` ended. */
export type UpOutcome = "ready" | "failed" | "cancelled";

/** What to report after an `up`. */
export interface UpReport {
  readonly request: number;
  readonly commit: string;
  readonly stack: string;
  readonly outcome: UpOutcome;
  /** The sessions that the stack has now; `undefined` when its state could not be read. */
  readonly sessions: readonly StateSession[] | undefined;
  /** The apps of the environment; none when it is not ready. */
  readonly apps: readonly AppHealth[];
  readonly job: JobLinks | undefined;
}

// GitHub takes 65,536 characters, and the forge adds a marker.
const longestTable = 50_000;
const longestApps = 5_000;
const defaultIdleTimeoutSeconds = 300;

const headings: Readonly<Record<UpOutcome, string>> = {
  ready: "is ready",
  failed: "could not be created or updated",
  cancelled: "was cancelled before it was ready",
};

/** The comment on a request, and the job's summary, as Markdown. It holds no link to an app, because a link has a token. */
export function upReport({ request, commit, stack, outcome, sessions, apps, job }: UpReport): string {
  const again = outcome === "ready" ? "recreates it" : "tries again";
  const paragraphs = [
    `### The preview environment of request ${request} ${headings[outcome]}${outcome === "ready" ? appHeading(apps, sessions !== undefined) : ""}`,
    outcome === "ready" ? undefined : `See ${link("the job", job?.url)} for the reason. What exists now:`,
    sessions === undefined
      ? "The sessions are unknown, because the state of the stack could not be read."
      : sessionTable(sessions),
    ...rowsWithin(
      apps.map((health) => appParagraphs(health, job)),
      longestApps,
    ),
    `Commit ${literal(commit)}, stack ${literal(stack)}${job === undefined ? "" : `, created by ${link("this job", job.url)}`}.`,
    sessions !== undefined && sessions.length > 0 ? lifetime(sessions) : undefined,
    job?.repeatCommand === undefined
      ? `A new push ${again}.`
      : `A new push ${again}, and so does this command:\n\n${codeBlock(job.repeatCommand, "sh")}`,
  ];
  return paragraphs.filter((paragraph) => paragraph).join("\n\n");
}

function appHeading(apps: readonly AppHealth[], isStateKnown: boolean): string {
  if (!isStateKnown) {
    return ", but no app was checked";
  }
  const states = new Set(apps.map(({ state }) => state));
  const what = apps.length === 1 ? "its app" : "an app of it";
  return states.has("down")
    ? `, but ${what} is not healthy`
    : states.has("unreachable")
      ? `, but ${what} does not answer through its link`
      : states.has("unknown")
        ? `, but ${what} could not be checked`
        : "";
}

function appParagraphs({ app, state, reason }: AppHealth, job: JobLinks | undefined): string {
  const where = `The app on port ${app.port} of session ${literal(app.sessionId)}`;
  const at = literal(app.healthPath);
  if (state !== "up") {
    const verdict = {
      down: `is not healthy at ${at}`,
      unreachable: `answers in its session at ${at}, but not through AGB's link`,
      unknown: "could not be checked",
    }[state];
    return `${where} ${verdict}: ${literal(reason)}. See ${link("the job", job?.url)} for what to do.`;
  }
  const how = "This command prints its link. The link holds a token, so it is not shown here:";
  return `${where} is up: it answers at ${at}. ${how}\n\n${codeBlock(linkCommand(app), "sh")}`;
}

function linkCommand({ sessionId, port }: PreviewApp): string {
  return `npx pulumi-agb sessions link ${sessionId} --port ${port}`;
}

/** What a check of an app found, and what to do, as a line for the log. */
export function appLine({ app, state, reason, code }: AppHealth): string {
  const { port, sessionId, healthPath, command, log } = app;
  const where = `app on port ${port} of ${sessionId}`;
  if (state === "up") {
    return `The ${where} is up: it answers at ${healthPath}. To get its link: ${linkCommand(app)}`;
  }
  if (state === "unknown") {
    const remedy = code === "AGB611" ? "Run this again." : "Solve that, then run this again.";
    return `The environment is ready, but the ${where} could not be checked: ${reason}. ${remedy}`;
  }
  if (state === "unreachable") {
    return (
      `The environment is ready, and the ${where} answers in its session at ${healthPath}, but not through AGB's link: ` +
      `${reason}. If it listens on 127.0.0.1 only, let it listen on all addresses. Otherwise, look for the reason on the way ` +
      "from this job to AGB, such as a proxy, then run this again."
    );
  }
  const readLog = log === undefined ? "" : `To read its log: npx pulumi-agb sessions exec ${sessionId} -- cat ${log}. `;
  const remedy =
    code !== "AGB731"
      ? "Run this again to recreate it."
      : command === undefined
        ? `${readLog}Find out why, and let the program restart it.`
        : `${readLog}Run this again to restart the app.`;
  return `The environment is ready, but the ${where} is not healthy at ${healthPath}: ${reason}. ${remedy}`;
}

/** What to report after a `down`. */
export interface DownReport {
  readonly request: number;
  readonly stack: string;
  readonly job: JobLinks | undefined;
  /** A sentence about the reason. It is ours, so it needs no escaping. */
  readonly note?: string | undefined;
  /** Whether all sessions are known to be gone, including those that no state knew. */
  readonly areSessionsGone: boolean;
}

/** The comment on a request whose environment was taken down. */
export function downReport({ request, stack, job, note, areSessionsGone }: DownReport): string {
  const by = job === undefined ? "" : ` by ${link("this job", job.url)}`;
  return [
    `### The preview environment of request ${request} is gone`,
    `Stack ${literal(stack)} and its sessions were removed${by}.`,
    ...(areSessionsGone ? [] : ["Other sessions with its labels may run until AGB releases them."]),
    ...(note === undefined ? [] : [note]),
  ].join("\n\n");
}

/** The marker of the one comment on a request. */
export function commentMarker(project: string): string {
  return `pulumi-agb preview environment of ${project}`;
}

/** The sessions as a table for the log; no lines when there are none. */
export function sessionLines(sessions: readonly StateSession[]): string[] {
  if (sessions.length === 0) {
    return [];
  }
  const rows = sessions.map(({ name, sessionId, imageId, labels }) => {
    const pairs = shownLabels(labels).map(([key, value]) => (value === "" ? key : `${key}=${value}`));
    return [name, sessionId, imageId, pairs.join(" ")];
  });
  const all = [["RESOURCE", "SESSION", "IMAGE", "LABELS"], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("   ")
      .trimEnd(),
  );
}

function sessionTable(sessions: readonly StateSession[]): string {
  if (sessions.length === 0) {
    return "There are no sessions.";
  }
  const rows = sessions.map((session) =>
    tableRow([
      literal(session.name),
      literal(session.sessionId) + (session.isReleased ? " (released)" : ""),
      literal(session.imageId),
      shownLabels(session.labels)
        .map(([key, value]) => literal(value === "" ? key : `${key}=${value}`))
        .join(" "),
      createdAt(session),
    ]),
  );
  const head = tableHead(["Resource", "Session", "Image", "Labels", "Since"]);
  return [head, ...rowsWithin(rows, longestTable)].join("\n");
}

function shownLabels(labels: StateSession["labels"]): (readonly [string, string])[] {
  return labels === secretText ? [[secretText, ""]] : Object.entries(labels).filter(([key]) => !isReserved(key));
}

function createdAt({ labels }: StateSession): string {
  const token = labels === secretText ? undefined : labels[ownershipKeys.create];
  const time = token === undefined ? undefined : createTokenTime(token);
  return time === undefined ? "" : `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function lifetime(sessions: readonly StateSession[]): string {
  const idleSeconds = new Set(sessions.map((session) => session.idleTimeoutSeconds ?? defaultIdleTimeoutSeconds));
  const [only] = idleSeconds;
  const idle =
    idleSeconds.size === 1 && only !== undefined
      ? `after ${duration(only)} without use`
      : "when it has been idle for its idle timeout";
  return `AGB releases each session ${idle}, and at the latest 30 minutes after its creation, unless a policy says otherwise.`;
}

function duration(seconds: number): string {
  const [amount, unit] = seconds % 60 === 0 ? [seconds / 60, "minute"] : [seconds, "second"];
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`;
}
