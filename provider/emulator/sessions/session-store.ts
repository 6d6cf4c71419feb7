import type { Clock } from "../clock";
import { newSessionId, randomString } from "../identifiers";
import { hasPairs, type Labels } from "../labels";
import type { EmulatorState } from "../state/emulator-state";
import { nextChangeAtMs, releaseDueAtMs, type SessionRecord, type SessionState, stateAt } from "./session";

/** What a new session is made of. */
export type NewSession = Pick<
  SessionRecord,
  "imageId" | "policyId" | "labels" | "mounts" | "idleTimeoutSeconds" | "maximumLifetimeSeconds"
>;

/** The rules of time that hold for all sessions. */
export interface SessionDelays {
  readonly releaseDelayMs: number;
  readonly labelIndexDelayMs: number;
}

/**
 * All sessions of the account. Sessions end by the clock when they are looked at, never by a timer, so a moved clock and a
 * restart need no special case.
 */
export class SessionStore {
  /** No session changes by the clock before this moment. */
  #nextChangeAtMs = Number.NEGATIVE_INFINITY;

  /** @param onGone called with the id of each session when its release is complete */
  constructor(
    private readonly state: EmulatorState,
    private readonly clock: Clock,
    private readonly delays: SessionDelays,
    private readonly onGone: (sessionId: string) => void,
  ) {}

  /** Removes all sessions. */
  clear(): void {
    for (const record of [...this.state.sessions.values()]) {
      this.remove(record);
    }
  }

  create(session: NewSession): SessionRecord {
    const nowMs = this.clock.now();
    // Every field is written out: an object that begins with a spread takes some twenty times longer to read, which
    // matters when thousands of sessions are listed.
    const record: SessionRecord = {
      sessionId: newSessionId(),
      sequence: this.state.takeSequence(),
      imageId: session.imageId,
      policyId: session.policyId,
      labels: session.labels,
      mounts: session.mounts,
      appInstanceId: `ai-${randomString(17)}`,
      resourceId: `p-${randomString(17)}`,
      idleTimeoutSeconds: session.idleTimeoutSeconds,
      maximumLifetimeSeconds: session.maximumLifetimeSeconds,
      createdAtMs: nowMs,
      lastActivityAtMs: nowMs,
      releasedAtMs: undefined,
    };
    this.#put(record);
    return record;
  }

  /** The session if it is running; undefined if it is unknown, being released or gone. */
  running(sessionId: string): SessionRecord | undefined {
    const record = this.#look(sessionId);
    return record?.releasedAtMs === undefined ? record : undefined;
  }

  /** Undefined if the session is unknown or gone. */
  stateOf(sessionId: string): SessionState | undefined {
    const record = this.#look(sessionId);
    return record && (record.releasedAtMs === undefined ? "RUNNING" : "DELETING");
  }

  /** All sessions that are not gone, also those that are being released; oldest first. */
  all(): SessionRecord[] {
    this.applyTime();
    return [...this.state.sessions.values()];
  }

  /** Running sessions that carry all labels of the filter, newest first. */
  list(filter: Labels): SessionRecord[] {
    const pairs = Object.entries(filter);
    const indexedUntilMs = this.clock.now() - this.delays.labelIndexDelayMs;
    return this.all()
      .filter(
        (record) =>
          record.releasedAtMs === undefined &&
          (pairs.length === 0 || (record.createdAtMs <= indexedUntilMs && hasPairs(record.labels, pairs))),
      )
      .reverse();
  }

  /** Resets the idle timer. */
  touch(record: SessionRecord): void {
    this.#put({ ...record, lastActivityAtMs: this.clock.now() });
  }

  setLabels(record: SessionRecord, labels: Labels): void {
    this.#put({ ...record, labels });
  }

  /** Begins the release. The session is gone when the release delay is over. */
  release(record: SessionRecord): void {
    this.#put({ ...record, releasedAtMs: this.clock.now() });
  }

  /** Removes the session immediately. */
  remove(record: SessionRecord): void {
    this.state.sessions.delete(record.sessionId);
    this.onGone(record.sessionId);
  }

  /** Notes which sessions the clock has released, and removes those whose release is complete. */
  applyTime(): void {
    const nowMs = this.clock.now();
    if (nowMs < this.#nextChangeAtMs) {
      return;
    }
    this.#nextChangeAtMs = Number.POSITIVE_INFINITY;
    for (const record of [...this.state.sessions.values()]) {
      const current = this.#applyTimeTo(record, nowMs);
      if (current !== undefined) {
        this.#expectChange(current);
      }
    }
  }

  #look(sessionId: string): SessionRecord | undefined {
    const record = this.state.sessions.get(sessionId);
    return record && this.#applyTimeTo(record, this.clock.now());
  }

  // A release that was seen once is final, even if the clock is set back. Ids are random, so that of a session that is
  // gone never returns.
  #applyTimeTo(record: SessionRecord, nowMs: number): SessionRecord | undefined {
    const state = stateAt(record, nowMs, this.delays.releaseDelayMs);
    if (state === undefined) {
      this.remove(record);
      return undefined;
    }
    if (state === "DELETING" && record.releasedAtMs === undefined) {
      const released = { ...record, releasedAtMs: releaseDueAtMs(record) };
      this.#put(released);
      return released;
    }
    return record;
  }

  #put(record: SessionRecord): void {
    this.state.sessions.put(record);
    this.#expectChange(record);
  }

  #expectChange(record: SessionRecord): void {
    this.#nextChangeAtMs = Math.min(this.#nextChangeAtMs, nextChangeAtMs(record, this.delays.releaseDelayMs));
  }
}
