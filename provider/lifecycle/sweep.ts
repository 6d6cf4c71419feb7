import type { AgbClient } from "../api/client";
import { AgbUnexpectedReplyError } from "../api/errors";
import { getLabels, type Labels } from "../api/labels";
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

/** A session that carries the labels of a project and one of its stacks. */
export interface OwnedSession extends StackName {
  readonly sessionId: string;
  /** Name of the resource that it was created for. */
  readonly resource: string | undefined;
  /** Id of the stack that created it; `undefined` when it carries none. */
  readonly stackId: string | undefined;
  /** Its create label; `undefined` when it carries none. */
  readonly createToken: string | undefined;
  /** Time of its create; `undefined` when its create label is missing or unreadable. */
  readonly createdAt: Date | undefined;
  /** Id of the repository whose preview environment it is of; `undefined` when it carries none. */
  readonly repository: string | undefined;
  /** Whether its program wants it to run on after its resource is deleted (`retainOnDelete`). */
  readonly isRetained: boolean;
  /** Why its labels could not be read, although the list has it as this owner's. */
  readonly unreadable?: string;
}

/** Whose sessions to find: those that carry all labels that are named here. */
export interface OwnerFilter {
  readonly project?: string;
  readonly stack?: string;
  readonly stackId?: string;
  readonly repository?: string;
}

/** What became of a session that no state knows. */
export interface Verdict {
  readonly sessionId: string;
  readonly resource: string | null;
  readonly createdAt: string | null;
  /** `retained`: its program wants it to run on. `foreign`: it certainly belongs to another stack of the same name. */
  readonly action: "released" | "would release" | "left" | "retained" | "foreign";
  /** Why it was left. */
  readonly reason?: string;
}

/** What proves that a session may be released. Names prove nothing: another backend may have a stack of the same name. */
export interface ReleaseRight {
  /** Ids of stacks whose states were read, or that the user named. */
  readonly stackIds: ReadonlySet<string>;
  /** Create labels of the sessions in the state. Another session with one of them is a twin from a lost reply. */
  readonly createTokens: ReadonlySet<string>;
  /** The repository whose request is known to be closed: no session of that request has a reason to run, in any backend. */
  readonly closedRepository?: string | undefined;
  /** Whether the user takes sessions without a stack's id, of an earlier version, for this stack's. */
  readonly includesUnidentified: boolean;
}

/** Which orphans to release. */
export interface ReleaseOptions {
  /** Leaves younger ones, and those of unknown age; `undefined` when age does not matter. Twins are never left. */
  readonly minimumAgeMs: number | undefined;
  /** Whether to release them or only to say so. */
  readonly release: boolean;
  readonly right: ReleaseRight;
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
  const names = ["project", "stack", "stackId", "repository"] as const;
  const wanted = names.flatMap((name) =>
    filter[name] === undefined ? [] : [[ownershipKeys[name], filter[name]] as const],
  );
  const sessions: OwnedSession[] = [];
  for await (const { sessionId } of listSessions(client, Object.fromEntries(wanted))) {
    if (known.has(sessionId)) {
      continue;
    }
    try {
      const labels = await unlessGone(getLabels(client, sessionId));
      if (labels !== undefined && wanted.every(([key, value]) => hasLabel(labels, key, value))) {
        sessions.push(...readOwner(sessionId, labels));
      }
    } catch (error) {
      // One session with labels that cannot be read must not keep the others from being released.
      if (!(error instanceof AgbUnexpectedReplyError)) {
        throw error;
      }
      sessions.push(unreadableSession(sessionId, filter, error.message));
    }
  }
  return sessions;
}

function unreadableSession(
  sessionId: string,
  { project = "", stack = "", stackId, repository }: OwnerFilter,
  unreadable: string,
): OwnedSession {
  const nothing = { resource: undefined, createToken: undefined, createdAt: undefined, isRetained: false };
  return { ...nothing, sessionId, project, stack, stackId, repository, unreadable };
}

/**
 * Releases a session that no state knows, if there is the right to do so and it is old enough, and says what became of
 * it. Its labels are read again right before: minutes may have passed, in which another stack may have taken it over. A
 * release that fails is no error.
 */
export async function releaseOrphan(
  client: AgbClient,
  orphan: OwnedSession,
  options: ReleaseOptions,
  clock: Clock,
): Promise<Verdict> {
  const verdict = judge(orphan, options, clock.now());
  if (verdict.action !== "would release" || !options.release) {
    return verdict;
  }
  try {
    const labels = await unlessGone(getLabels(client, orphan.sessionId));
    if (labels !== undefined) {
      if (!isSameOwner(orphan, readOwner(orphan.sessionId, labels)[0])) {
        return leaveOrphan(orphan, "its owner's labels changed a moment ago, so it may be in use");
      }
      await releaseAndWait(client, orphan.sessionId, clock);
    }
    return { ...verdict, action: "released" };
  } catch (error) {
    return leaveOrphan(orphan, error instanceof Error ? error.message : String(error));
  }
}

/** The verdict on an orphan that is left. */
export function leaveOrphan(
  { sessionId, resource, createdAt }: Pick<OwnedSession, "sessionId" | "resource" | "createdAt">,
  reason: string,
): Verdict {
  return { sessionId, resource: resource ?? null, createdAt: createdAt?.toISOString() ?? null, action: "left", reason };
}

/** Whether nothing more is to be done about a session: it is gone, or it is not meant to be gone. */
export function isDone({ action }: Pick<Verdict, "action">): boolean {
  return action === "released" || action === "retained" || action === "foreign";
}

/** One line that says what became of an orphan. */
export function verdictLine({ sessionId, resource, createdAt, action, reason }: Verdict): string {
  const created = createdAt === null ? "" : `, created ${createdAt}`;
  return `${action}: ${sessionId} (${resource ?? "unknown resource"}${created})${reason ? `: ${reason}` : ""}`;
}

function readOwner(sessionId: string, labels: Labels): OwnedSession[] {
  const read = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  const [project, stack] = [read(ownershipKeys.project), read(ownershipKeys.stack)];
  const createToken = read(ownershipKeys.create);
  if (project === undefined || stack === undefined) {
    return [];
  }
  return [
    {
      sessionId,
      project,
      stack,
      stackId: read(ownershipKeys.stackId),
      resource: read(ownershipKeys.resource),
      createToken,
      createdAt: createTokenTime(createToken ?? ""),
      repository: read(ownershipKeys.repository),
      isRetained: read(ownershipKeys.retain) !== undefined,
    },
  ];
}

function judge(orphan: OwnedSession, { minimumAgeMs, right }: ReleaseOptions, nowMs: number): Verdict {
  if (orphan.unreadable !== undefined) {
    return leaveOrphan(orphan, orphan.unreadable);
  }
  const doubt = doubtAbout(orphan, right);
  if (doubt?.action === "foreign") {
    return { ...leaveOrphan(orphan, doubt.reason), action: "foreign" };
  }
  if (orphan.isRetained) {
    return { ...leaveOrphan(orphan, "it carries the label pulumi-retain (option retainOnDelete)"), action: "retained" };
  }
  if (doubt !== undefined) {
    return leaveOrphan(orphan, doubt.reason);
  }
  const isTwin = orphan.createToken !== undefined && right.createTokens.has(orphan.createToken);
  if (minimumAgeMs !== undefined && !isTwin) {
    if (orphan.createdAt === undefined) {
      return leaveOrphan(orphan, "its age is unknown");
    }
    if (nowMs - orphan.createdAt.getTime() < minimumAgeMs) {
      return leaveOrphan(
        orphan,
        `it is younger than ${formatDuration(minimumAgeMs)} (--older-than), and an \`up\` that is still active may need it`,
      );
    }
  }
  const { reason: _, ...facts } = leaveOrphan(orphan, "");
  return { ...facts, action: "would release" };
}

/** Why a session may not be released; `undefined` when it may. */
function doubtAbout(
  { stackId, repository }: OwnedSession,
  { stackIds, closedRepository, includesUnidentified }: ReleaseRight,
): { readonly action: "left" | "foreign"; readonly reason: string } | undefined {
  const isOfClosedRequest = repository !== undefined && repository === closedRepository;
  if (isOfClosedRequest || (stackId === undefined ? includesUnidentified : stackIds.has(stackId))) {
    return undefined;
  }
  if (stackId === undefined) {
    const reason = "it carries no stack id: an earlier version created it, or the label was removed";
    return { action: "left", reason };
  }
  return stackIds.size === 0
    ? { action: "left", reason: `no state was read that has its stack id ${stackId}` }
    : {
        action: "foreign",
        reason: `it belongs to another stack of the same name, or to this one before a destroy: stack id ${stackId}`,
      };
}

function isSameOwner(one: OwnedSession, other: OwnedSession | undefined): boolean {
  const fields = ["project", "stack", "stackId", "resource", "createToken", "repository", "isRetained"] as const;
  return fields.every((field) => one[field] === other?.[field]);
}

function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
