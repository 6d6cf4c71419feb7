import type { AgbClient } from "../api/client";
import { getLabels } from "../api/labels";
import { listSessions } from "../api/sessions";
import { hasLabel } from "./labels";
import { createTokenTime, ownershipKeys } from "./ownership";
import { releaseAndWait } from "./session";
import { unlessGone } from "./unless-gone";
import type { Clock } from "./wait";

/** The stack whose orphans are looked for. */
export interface StackName {
  readonly project: string;
  readonly stack: string;
}

/** A session of a stack that no state knows. */
export interface Orphan {
  readonly sessionId: string;
  /** Name of the resource that it was made for. */
  readonly resource: string | undefined;
  /** Time of its create, `undefined` when its create label is missing or unreadable. */
  readonly createdAt: Date | undefined;
}

/** A session that carries the labels of a project and one of its stacks. */
export interface OwnedSession extends Orphan, StackName {
  /** Id of the repository whose preview environment it is of; `undefined` when it carries none. */
  readonly repository: string | undefined;
}

/** Whose sessions to find: those that carry all labels that are named here. */
export interface OwnerFilter {
  readonly project?: string;
  readonly stack?: string;
  readonly repository?: string;
}

/** What becomes of an orphan. */
export interface Verdict {
  readonly sessionId: string;
  readonly resource: string | null;
  readonly createdAt: string | null;
  readonly action: "released" | "would release" | "left";
  /** Why it was left. */
  readonly reason?: string;
}

/** How orphans are judged. */
export interface Judgement {
  /** Younger ones, and those of unknown age, are left; `undefined` when age does not matter. */
  readonly minimumAgeMs: number | undefined;
  /** Whether to release them or only to say so. */
  readonly release: boolean;
}

/**
 * Finds the sessions of an owner, from every page of the list. The labels of each are read again: a list's filter alone
 * is not trusted with a release.
 *
 * @param known ids of sessions that are left out
 */
export async function findOwnedSessions(
  client: AgbClient,
  filter: OwnerFilter,
  known: ReadonlySet<string> = new Set(),
): Promise<OwnedSession[]> {
  const names = ["project", "stack", "repository"] as const;
  const wanted = names.flatMap((name) =>
    filter[name] === undefined ? [] : [[ownershipKeys[name], filter[name]] as const],
  );
  const sessions: OwnedSession[] = [];
  for await (const { sessionId } of listSessions(client, Object.fromEntries(wanted))) {
    const labels = known.has(sessionId) ? undefined : await unlessGone(getLabels(client, sessionId));
    if (labels === undefined || !wanted.every(([key, value]) => hasLabel(labels, key, value))) {
      continue;
    }
    const { [ownershipKeys.project]: project, [ownershipKeys.stack]: stack } = labels;
    if (project !== undefined && stack !== undefined) {
      sessions.push({
        sessionId,
        project,
        stack,
        repository: labels[ownershipKeys.repository],
        resource: labels[ownershipKeys.resource],
        createdAt: createTokenTime(labels[ownershipKeys.create] ?? ""),
      });
    }
  }
  return sessions;
}

/** Tells whether an orphan is certainly older than the limit; one of unknown age is not. */
export function isOlderThan({ createdAt }: Orphan, minimumAgeMs: number, nowMs: number): boolean {
  return createdAt !== undefined && nowMs - createdAt.getTime() >= minimumAgeMs;
}

/** Releases an orphan, if it is old enough, and says what became of it; a release that fails is no error. */
export async function judgeOrphan(
  client: AgbClient,
  orphan: Orphan,
  { minimumAgeMs, release }: Judgement,
  clock: Clock,
): Promise<Verdict> {
  const { sessionId, resource = null, createdAt } = orphan;
  const facts = { sessionId, resource, createdAt: createdAt?.toISOString() ?? null };
  if (minimumAgeMs !== undefined && createdAt === undefined) {
    return leaveOrphan(orphan, "its age is unknown");
  }
  if (minimumAgeMs !== undefined && !isOlderThan(orphan, minimumAgeMs, clock.now())) {
    return leaveOrphan(orphan, `it is younger than ${formatDuration(minimumAgeMs)}`);
  }
  if (!release) {
    return { ...facts, action: "would release" };
  }
  try {
    await releaseAndWait(client, sessionId, clock);
    return { ...facts, action: "released" };
  } catch (error) {
    return leaveOrphan(orphan, error instanceof Error ? error.message : String(error));
  }
}

/** The verdict on an orphan that is left. */
export function leaveOrphan({ sessionId, resource, createdAt }: Orphan, reason: string): Verdict {
  return { sessionId, resource: resource ?? null, createdAt: createdAt?.toISOString() ?? null, action: "left", reason };
}

/** One line that says what became of an orphan. */
export function verdictLine({ sessionId, resource, createdAt, action, reason }: Verdict): string {
  const made = createdAt === null ? "" : `, made ${createdAt}`;
  return `${action}: ${sessionId} (${resource ?? "unknown resource"}${made})${reason ? `: ${reason}` : ""}`;
}

function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
