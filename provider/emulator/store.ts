import type { Clock } from "./clock";
import { newSessionId, randomText } from "./identifiers";
import { hasPairs, type Labels } from "./labels";
import { releaseDueAtMs, type SessionRecord, type SessionState, stateAt } from "./session";

/** Everything that outlives a restart. */
export interface StoredState {
  readonly nextSequence: number;
  /** Tells this state from that of other emulators; made once, see `newEmulatorId`. */
  readonly emulatorId?: string | undefined;
  /** How far the emulator's clock had been moved ahead of its source. */
  readonly clockOffsetMs?: number | undefined;
  readonly sessions: readonly SessionRecord[];
}

/** What a new session is made of. */
export type NewSession = Pick<
  SessionRecord,
  "imageId" | "policyId" | "labels" | "mounts" | "idleTimeoutSeconds" | "maximumLifetimeSeconds"
>;

/**
 * All sessions of the account, in memory. Releases by time are noticed when a session is looked at: nothing here waits
 * for a timer, so a moved clock and a restart need no special case.
 */
export class SessionStore {
  // In the order of creation.
  #records = new Map<string, SessionRecord>();
  #nextSequence = 1;

  constructor(
    private readonly clock: Clock,
    private readonly releaseDelayMs: number,
    private readonly labelIndexDelayMs: number,
  ) {}

  load(state: StoredState): void {
    const inOrder = [...state.sessions].sort((left, right) => left.sequence - right.sequence);
    this.#records = new Map(inOrder.map((record) => [record.sessionId, record]));
    this.#nextSequence = Math.max(state.nextSequence, (inOrder.at(-1)?.sequence ?? 0) + 1);
  }

  snapshot(): StoredState {
    return { nextSequence: this.#nextSequence, sessions: this.all() };
  }

  clear(): void {
    this.#records.clear();
  }

  create(session: NewSession): SessionRecord {
    const nowMs = this.clock.now();
    // Every field written out: an object that begins with a spread is read some twenty times slower, which tells when
    // thousands of sessions are listed.
    const record: SessionRecord = {
      sessionId: newSessionId(),
      sequence: this.#nextSequence,
      imageId: session.imageId,
      policyId: session.policyId,
      labels: session.labels,
      mounts: session.mounts,
      appInstanceId: `ai-${randomText(17)}`,
      resourceId: `p-${randomText(17)}`,
      idleTimeoutSeconds: session.idleTimeoutSeconds,
      maximumLifetimeSeconds: session.maximumLifetimeSeconds,
      createdAtMs: nowMs,
      lastActivityAtMs: nowMs,
      releasedAtMs: undefined,
    };
    this.#nextSequence += 1;
    this.#records.set(record.sessionId, record);
    return record;
  }

  /** The session if it is running; undefined when it is unknown, being released or gone. */
  running(sessionId: string): SessionRecord | undefined {
    const record = this.#settled(sessionId);
    return record?.releasedAtMs === undefined ? record : undefined;
  }

  /** undefined when the session is unknown or gone. */
  state(sessionId: string): SessionState | undefined {
    const record = this.#settled(sessionId);
    return record && (record.releasedAtMs === undefined ? "RUNNING" : "DELETING");
  }

  /** Everything that is not gone, also what is being released; oldest first. */
  all(): SessionRecord[] {
    const nowMs = this.clock.now();
    for (const record of this.#records.values()) {
      this.#settle(record, nowMs);
    }
    return [...this.#records.values()];
  }

  /** Running sessions that carry all labels of the filter, newest first. */
  list(filter: Labels): SessionRecord[] {
    const pairs = Object.entries(filter);
    const indexedUntilMs = this.clock.now() - this.labelIndexDelayMs;
    return this.all()
      .filter(
        (record) =>
          record.releasedAtMs === undefined &&
          (pairs.length === 0 || (record.createdAtMs <= indexedUntilMs && hasPairs(record.labels, pairs))),
      )
      .reverse();
  }

  /** Sets the idle timer back. */
  touch(record: SessionRecord): void {
    this.#records.set(record.sessionId, { ...record, lastActivityAtMs: this.clock.now() });
  }

  setLabels(record: SessionRecord, labels: Labels): void {
    this.#records.set(record.sessionId, { ...record, labels });
  }

  /** Begins the release; the session is gone when the release delay is over. */
  release(record: SessionRecord): void {
    this.#records.set(record.sessionId, { ...record, releasedAtMs: this.clock.now() });
  }

  /** Makes the session gone at once. */
  remove(record: SessionRecord): void {
    this.#records.delete(record.sessionId);
  }

  #settled(sessionId: string): SessionRecord | undefined {
    const record = this.#records.get(sessionId);
    return record && this.#settle(record, this.clock.now());
  }

  // Writes down a release that time has brought, and forgets a session whose release is complete: what has once been
  // seen as released stays so, even if the clock is set back. Ids are random, so a forgotten one never comes back.
  #settle(record: SessionRecord, nowMs: number): SessionRecord | undefined {
    const state = stateAt(record, nowMs, this.releaseDelayMs);
    if (state === undefined) {
      this.#records.delete(record.sessionId);
      return undefined;
    }
    if (state === "DELETING" && record.releasedAtMs === undefined) {
      const released = { ...record, releasedAtMs: releaseDueAtMs(record) };
      this.#records.set(record.sessionId, released);
      return released;
    }
    return record;
  }
}
