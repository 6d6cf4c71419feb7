import type { ContextMount } from "../contexts/context-record";
import type { Labels } from "../labels";

/** What the emulator keeps of a session. Records are never changed in place; a change creates a new one. */
export interface SessionRecord {
  readonly sessionId: string;
  /** Grows with every create. It says which of two sessions is newer, also when the clock stands still. */
  readonly sequence: number;
  readonly imageId: string;
  readonly policyId?: string | undefined;
  readonly labels: Labels;
  /** The contexts in it; undefined if there are none. */
  readonly mounts?: readonly ContextMount[] | undefined;
  readonly appInstanceId: string;
  readonly resourceId: string;
  readonly idleTimeoutSeconds: number;
  readonly maximumLifetimeSeconds: number;
  /** All times are milliseconds since 1970-01-01 UTC. */
  readonly createdAtMs: number;
  /** When the idle timer was last reset. */
  readonly lastActivityAtMs: number;
  /** When the release began; undefined if it has not. */
  readonly releasedAtMs?: number | undefined;
}

/** Only the status operation reports `DELETING`. For every other operation the session is already gone. */
export type SessionState = "RUNNING" | "DELETING";

/** When the session's release began or, if nobody uses the session, will begin. */
export function releaseDueAtMs(record: SessionRecord): number {
  if (record.releasedAtMs !== undefined) {
    return record.releasedAtMs;
  }
  // Never earlier than the idle timeout after the create (AGB idle timeout tests), and at the latest 30 minutes after the
  // create (AGB docs, session life cycle page).
  return Math.min(
    record.lastActivityAtMs + record.idleTimeoutSeconds * 1000,
    record.createdAtMs + record.maximumLifetimeSeconds * 1000,
  );
}

/** When the clock changes the session's state next, if nobody uses the session. */
export function nextChangeAtMs(record: SessionRecord, releaseDelayMs: number): number {
  return record.releasedAtMs === undefined ? releaseDueAtMs(record) : record.releasedAtMs + releaseDelayMs;
}

/** The session's state at a moment; undefined when its release is complete. */
export function stateAt(record: SessionRecord, nowMs: number, releaseDelayMs: number): SessionState | undefined {
  const dueAtMs = releaseDueAtMs(record);
  if (nowMs < dueAtMs) {
    // A release that has begun is never undone, not even when the clock is set back.
    return record.releasedAtMs === undefined ? "RUNNING" : "DELETING";
  }
  return nowMs < dueAtMs + releaseDelayMs ? "DELETING" : undefined;
}
