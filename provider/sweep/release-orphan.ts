// The rules of every sweep: which sessions that no state knows may be released, and their release. This folder finds
// and releases such sessions. It uses api/, lifecycle/ and what pulumi/ reads from a state; previews/ and cli/ use it.

import type { AgbClient } from "../api/client";
import { releaseAndWait } from "../lifecycle/session";
import type { Clock } from "../lifecycle/wait";
import { compareOwner, type OwnedSession } from "./owned-sessions";
import type { StateProof } from "./state-proof";

/** What became of a session that no state knows. */
export interface OrphanResult {
  readonly sessionId: string;
  readonly resource: string | null;
  readonly createdAt: string | null;
  /** `retained`: its program keeps it running. `foreign`: it certainly belongs to another stack of the same name. */
  readonly action: "released" | "would release" | "left" | "retained" | "foreign";
  /** Why it was left. */
  readonly reason?: string;
}

/**
 * What proves that a session may be released. Names prove nothing, because another backend may have a stack of the same
 * name.
 */
export interface ReleaseRight extends StateProof {
  /**
   * The repositories that the sweep works for: it leaves sessions that carry another one's label. Where none is known,
   * `"any"` lets the stack's id decide alone, and an empty set leaves every session that carries such a label.
   */
  readonly repositories: ReadonlySet<string> | "any";
  /** The repository whose request is known to be closed: no session of that request is needed, in any backend. */
  readonly closedRepository?: string | undefined;
  /** Whether sessions without a stack id, from an earlier version, count as this stack's; the user says so. */
  readonly includesUnidentified: boolean;
}

/** Which orphans to release. */
export interface ReleaseOptions {
  /** Leaves younger ones, and those of unknown age; `undefined` when age does not matter. Never leaves twins. */
  readonly minimumAgeMs: number | undefined;
  /** Whether to release them or only to say so. */
  readonly release: boolean;
  readonly right: ReleaseRight;
}

/**
 * Releases a session that no state knows, if `right` allows it and the session is old enough. Reads its labels again
 * right before the release: another stack may have taken it over in the minutes since. A release that fails is no
 * error; the session is then left, with the reason.
 */
export async function releaseOrphan(
  client: AgbClient,
  orphan: OwnedSession,
  options: ReleaseOptions,
  clock: Clock,
): Promise<OrphanResult> {
  const planned = planRelease(orphan, options, clock.now());
  if (planned.action !== "would release" || !options.release) {
    return planned;
  }
  try {
    const owner = await compareOwner(client, orphan);
    if (owner === "changed") {
      return leaveOrphan(
        orphan,
        "its ownership labels changed during the sweep, so it may be in use. Run the sweep again",
      );
    }
    if (owner === "same") {
      await releaseAndWait(client, orphan.sessionId, clock);
    }
    return { ...planned, action: "released" };
  } catch (error) {
    return leaveOrphan(orphan, error instanceof Error ? error.message : String(error));
  }
}

/** The result of leaving an orphan. */
export function leaveOrphan(orphan: OwnedSession, reason: string): OrphanResult {
  return { ...resultOf(orphan, "left"), reason };
}

/** Whether an orphan needs nothing more: it is gone, or it is meant to stay. */
export function isSettled({ action }: Pick<OrphanResult, "action">): boolean {
  return action === "released" || action === "retained" || action === "foreign";
}

/** One line that says what became of an orphan. */
export function resultLine({ sessionId, resource, createdAt, action, reason }: OrphanResult): string {
  const created = createdAt === null ? "" : `, created ${createdAt}`;
  return `${action}: ${sessionId} (${resource ?? "unknown resource"}${created})${reason ? `: ${reason}` : ""}`;
}

/** Decides what to do with an orphan, without doing it. */
function planRelease(orphan: OwnedSession, { minimumAgeMs, right }: ReleaseOptions, nowMs: number): OrphanResult {
  const otherRepository = doubtRepository(orphan, right);
  if (otherRepository !== undefined) {
    return leaveOrphan(orphan, otherRepository);
  }
  if (orphan.unreadable !== undefined) {
    return leaveOrphan(orphan, orphan.unreadable);
  }
  const doubt = doubtStack(orphan, right);
  if (doubt?.action === "foreign") {
    return { ...resultOf(orphan, "foreign"), reason: doubt.reason };
  }
  if (orphan.isRetained) {
    return { ...resultOf(orphan, "retained"), reason: "it carries the label pulumi-retain (option retainOnDelete)" };
  }
  const reason = doubt?.reason ?? doubtAge(orphan, minimumAgeMs, right, nowMs);
  return reason === undefined ? resultOf(orphan, "would release") : leaveOrphan(orphan, reason);
}

/** Why another repository may own a session; `undefined` when none does. */
function doubtRepository({ repository }: OwnedSession, { repositories }: ReleaseRight): string | undefined {
  if (repository === undefined || repositories === "any" || repositories.has(repository)) {
    return undefined;
  }
  const reason = `it belongs to the repository ${repository}`;
  return repositories.size === 0 ? `${reason}, and this job's repository is not known` : reason;
}

/** Why another stack may own a session; `undefined` when this one certainly does. */
function doubtStack(
  { stackId, repository }: OwnedSession,
  { stackIds, closedRepository, includesUnidentified }: ReleaseRight,
): { readonly action: "left" | "foreign"; readonly reason: string } | undefined {
  const isOfClosedRequest = repository !== undefined && repository === closedRepository;
  if (isOfClosedRequest || (stackId === undefined ? includesUnidentified : stackIds.has(stackId))) {
    return undefined;
  }
  if (stackId === undefined) {
    const reason =
      "it carries no stack id, because an earlier version created it or the label was removed. To release it, add --include-unidentified";
    return { action: "left", reason };
  }
  return stackIds.size === 0
    ? { action: "left", reason: `no state was read that has its stack id, ${stackId}` }
    : {
        action: "foreign",
        reason: `it belongs to another stack of the same name, or to this one before a destroy: stack id ${stackId}`,
      };
}

/** Why a session may be too young; `undefined` when it is old enough, or a twin of a session in the state. */
function doubtAge(
  { createToken, createdAt }: OwnedSession,
  minimumAgeMs: number | undefined,
  { createTokens }: ReleaseRight,
  nowMs: number,
): string | undefined {
  const isTwin = createToken !== undefined && createTokens.has(createToken);
  if (minimumAgeMs === undefined || isTwin) {
    return undefined;
  }
  if (createdAt === undefined) {
    return "its age is unknown, because its create label is missing or unreadable. Release it by hand";
  }
  return nowMs - createdAt.getTime() < minimumAgeMs
    ? `it is younger than ${formatDuration(minimumAgeMs)} (--older-than), so an \`up\` that is still active may need it`
    : undefined;
}

function resultOf(
  { sessionId, resource, createdAt }: OwnedSession,
  action: OrphanResult["action"],
): Omit<OrphanResult, "reason"> {
  return { sessionId, resource: resource ?? null, createdAt: createdAt?.toISOString() ?? null, action };
}

function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
