import type { Failure } from "../messages/describe-failure";
import type { MessageCode } from "../messages/message-codes";
import { isSettled, type OrphanResult } from "../sweep/release-orphan";
import type { StateProof } from "../sweep/state-proof";

/** What became of a request's stack. */
export interface StackResult {
  readonly stack: string;
  readonly action: "removed" | "would remove" | "kept" | "left" | "failed";
  readonly reason: string;
  /** The code of the reason, if something can be done about it. */
  readonly code?: MessageCode;
  /** What the state of a removed stack proved: some of its sessions may still have to be released. */
  readonly proof?: StateProof;
}

/** What became of a session that no state knows, or that may be one. */
export interface SessionResult extends OrphanResult {
  readonly stack: string;
}

/** What a sweep found and did. */
export interface SweepResult {
  readonly stacks: readonly StackResult[];
  readonly sessions: readonly SessionResult[];
  /** What failed. The stacks and sessions concerned were not changed. */
  readonly failures: readonly Failure[];
}

/** The result of several parts of a sweep, in their order. */
export function joinResults(parts: readonly Partial<SweepResult>[]): SweepResult {
  return {
    stacks: parts.flatMap(({ stacks = [] }) => stacks),
    sessions: parts.flatMap(({ sessions = [] }) => sessions),
    failures: parts.flatMap(({ failures = [] }) => failures),
  };
}

/** Whether stacks or sessions that should be gone are still there. */
export function somethingIsLeft({ stacks, sessions }: Pick<SweepResult, "stacks" | "sessions">): boolean {
  return (
    stacks.some(({ action }) => action === "would remove" || action === "failed" || action === "left") ||
    !sessions.every(isSettled)
  );
}
