import type { ContextMount } from "./contexts/context-record";
import type { Labels } from "./labels";

/** What the emulator keeps of a session. Records are never changed in place; a change makes a new one. */
export interface SessionRecord {
  readonly sessionId: string;
  /** Grows with every create; says which of two sessions is the newer one, also when the clock stands still. */
  readonly sequence: number;
  readonly imageId: string;
  readonly policyId?: string | undefined;
  readonly labels: Labels;
  /** The contexts in it; undefined when there are none. */
  readonly mounts?: readonly ContextMount[] | undefined;
  readonly appInstanceId: string;
  readonly resourceId: string;
  readonly idleTimeoutSeconds: number;
  readonly maximumLifetimeSeconds: number;
  /** All times are milliseconds since 1970-01-01 UTC. */
  readonly createdAtMs: number;
  /** When the idle timer was last set back. */
  readonly lastActivityAtMs: number;
  /** When the release began, once it has. */
  readonly releasedAtMs?: number | undefined;
}

/** `DELETING` is seen by the status call only; to every other operation the session is gone already. */
export type SessionState = "RUNNING" | "DELETING";

/** When the session's release began or, if nobody touches it, will begin. */
export function releaseDueAtMs(record: SessionRecord): number {
  if (record.releasedAtMs !== undefined) {
    return record.releasedAtMs;
  }
  // Never earlier than the idle timeout after the create (AGB idle timeout tests); 30 minutes after the create at the
  // latest (AGB docs, session life cycle page).
  return Math.min(
    record.lastActivityAtMs + record.idleTimeoutSeconds * 1000,
    record.createdAtMs + record.maximumLifetimeSeconds * 1000,
  );
}

/** The session's state at a moment; undefined once its release is complete. */
export function stateAt(record: SessionRecord, nowMs: number, releaseDelayMs: number): SessionState | undefined {
  const dueAtMs = releaseDueAtMs(record);
  if (nowMs < dueAtMs) {
    // A release that has begun is never taken back, not even when the clock is set back.
    return record.releasedAtMs === undefined ? "RUNNING" : "DELETING";
  }
  return nowMs < dueAtMs + releaseDelayMs ? "DELETING" : undefined;
}
