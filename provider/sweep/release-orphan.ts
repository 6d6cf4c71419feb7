// The rules of every sweep: which sessions that no state knows may be released, and their release. This folder finds
// and releases such sessions. It uses api/, lifecycle/ and what pulumi/ reads from a state; previews/ and cli/ use it.

import type { AgbClient } from "../api/client";
import { releaseAndWait } from "../lifecycle/session";
import type { Clock } from "../lifecycle/wait";
import { describeFailure, type Failure } from "../messages/describe-failure";
import { type MessageCode, withCode } from "../messages/message-codes";
import { compareOwner, type OwnedSession } from "./owned-sessions";
import type { StateProof } from "./state-proof";

/** What became of a session that no state knows. */
export interface OrphanResult {
  readonly sessionId: string;
  readonly resource: string | null;
  readonly createdAt: string | null;
  /** `retained`: its program keeps it running. `foreign`: it certainly belongs to another stack of the same name. */
  readonly action: "released" | "would release" | "left" | "retained" | "foreign";
  /** Why it was not released. */
  readonly reason?: string;
  /** The code of the reason, if something can be done about it. */
  readonly code?: MessageCode;
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
      const text = "its ownership labels changed during the sweep, so it may be in use. Run the sweep again";
      return leaveOrphan(orphan, { text, code: "AGB626" });
    }
    if (owner === "same") {
      await releaseAndWait(client, orphan.sessionId, clock);
    }
    return { ...planned, action: "released" };
  } catch (error) {
    return leaveOrphan(orphan, describeFailure(error));
  }
}

/** The result of leaving an orphan. */
export function leaveOrphan(orphan: OwnedSession, { text, code }: Failure): OrphanResult {
  return { ...resultOf(orphan, "left"), reason: text, code };
}

/** Whether an orphan needs nothing more: it is gone, or it is meant to stay. */
export function isSettled({ action }: Pick<OrphanResult, "action">): boolean {
  return action === "released" || action === "retained" || action === "foreign";
}

/** One line that says what became of an orphan. @param project its project, if it is another one than the job's */
export function resultLine(result: OrphanResult, project?: string): string {
  const { sessionId, resource, createdAt, action } = result;
  const created = createdAt === null ? "" : `, created ${createdAt}`;
  const ofProject = project === undefined ? "" : `, project ${project}`;
  const reason = shownReason(result);
  return `${action}: ${sessionId} (${resource ?? "unknown resource"}${created}${ofProject})${reason && `: ${reason}`}`;
}

/**
 * Why something was left, with its code; empty when there is nothing to say.
 *
 * @param show how the words are shown, such as in Markdown
 */
export function shownReason(
  { reason = "", code }: Pick<OrphanResult, "reason" | "code">,
  show: (words: string) => string = String,
): string {
  return code === undefined ? show(reason) : withCode(show(reason), code);
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
  const failure = doubt?.failure ?? doubtAge(orphan, minimumAgeMs, right, nowMs);
  return failure === undefined ? resultOf(orphan, "would release") : leaveOrphan(orphan, failure);
}

/** Why another repository may own a session; `undefined` when none does. */
function doubtRepository({ repository }: OwnedSession, { repositories }: ReleaseRight): Failure | undefined {
  if (repository === undefined || repositories === "any" || repositories.has(repository)) {
    return undefined;
  }
  const unknown = repositories.size === 0 ? ", and this job's repository is not known" : "";
  return { text: `it belongs to the repository ${repository}${unknown}`, code: "AGB621" };
}

/** Why another stack may own a session; `undefined` when this one certainly does. */
function doubtStack(
  { stackId, repository, project, stack }: OwnedSession,
  { stackIds, providerIds, name, closedRepository, includesUnidentified }: ReleaseRight,
): { action: "left"; failure: Failure } | { action: "foreign"; reason: string; failure?: undefined } | undefined {
  const isOfClosedRequest = repository !== undefined && repository === closedRepository;
  if (isOfClosedRequest || (stackId === undefined ? includesUnidentified : stackIds.has(stackId))) {
    return undefined;
  }
  if (stackId === undefined) {
    const text =
      "it carries no stack id, because an earlier version created it or the label was removed. If it belongs to this " +
      "stack, add --include-unidentified";
    return { action: "left", failure: { text, code: "AGB622" } };
  }
  if (providerIds.has(stackId)) {
    if (project === name?.project && stack === name.stack) {
      return undefined;
    }
    const reason =
      `it belongs to ${project}/${stack}. If that is a former name of this stack, add ` +
      `--stack-id ${stackId}. If not, resources were moved between the two stacks`;
    return { action: "foreign", reason };
  }
  return stackIds.size + providerIds.size === 0
    ? { action: "left", failure: { text: `no state was read that has its stack id, ${stackId}`, code: "AGB623" } }
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
): Failure | undefined {
  const isTwin = createToken !== undefined && createTokens.has(createToken);
  if (minimumAgeMs === undefined || isTwin) {
    return undefined;
  }
  if (createdAt === undefined) {
    const text = "its age is unknown, because its create label is missing or unreadable. AGB releases it in time";
    return { text, code: "AGB625" };
  }
  if (nowMs - createdAt.getTime() >= minimumAgeMs) {
    return undefined;
  }
  const age = formatDuration(minimumAgeMs);
  return {
    text: `it is younger than ${age} (--older-than), so an \`up\` that is still active may need it`,
    code: "AGB624",
  };
}

function resultOf(
  { sessionId, resource, createdAt }: OwnedSession,
  action: OrphanResult["action"],
): Omit<OrphanResult, "reason" | "code"> {
  return { sessionId, resource: resource ?? null, createdAt: createdAt?.toISOString() ?? null, action };
}

function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
