import type { ContextState } from "./contexts/context-record";
import type { Fault, FaultRule } from "./faults";
import type { JournalEntry } from "./journal";
import type { SessionState } from "./sessions/session";

/** A session as the emulator knows it. Times are milliseconds since 1970-01-01 UTC. */
export interface EmulatedSession {
  readonly sessionId: string;
  readonly state: SessionState;
  readonly imageId: string;
  readonly policyId?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly appInstanceId: string;
  readonly resourceId: string;
  readonly idleTimeoutSeconds: number;
  readonly maximumLifetimeSeconds: number;
  readonly createdAtMs: number;
  /** When the idle timer was last set back. */
  readonly lastActivityAtMs: number;
  /** When the release began or, if nobody touches the session, will begin. */
  readonly releaseDueAtMs: number;
}

/** A context as the emulator knows it. Times are milliseconds since 1970-01-01 UTC. */
export interface EmulatedContext {
  readonly contextId: string;
  readonly name: string;
  readonly state: ContextState;
  readonly createdAtMs: number;
  /** When a session last mounted it. */
  readonly lastUsedAtMs: number;
  /** Absolute paths, in no particular order. */
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[];
}

/** A running emulator. */
export interface Emulator {
  /** Where this computer reaches it: `http://127.0.0.1:PORT` unless the option `host` says otherwise; no slash at the end. */
  readonly url: string;
  /** Back to the moment after the start, without sessions and contexts: journal empty, fault rules and keys as the options say. */
  reset(): Promise<void>;
  /** Stops listening, saves the state, lets go of the state file. Ends promptly; a second call waits for the first. */
  close(): Promise<void>;
  /** All sessions that are running or being released, newest first. */
  sessions(): EmulatedSession[];
  /** The emulator's time: what `advanceClock` let pass on top of the option `clock`; milliseconds since 1970-01-01 UTC. */
  nowMs(): number;
  /** Lets time pass at once. @param ms milliseconds. Rejects with a RangeError when negative or beyond the end of dates. */
  advanceClock(ms: number): Promise<void>;
  /** All contexts, newest first. */
  contexts(): EmulatedContext[];
  /** Replaces a session's labels behind its owner's back; no limits apply. Rejects when no such session is running. */
  setLabels(sessionId: string, labels: Readonly<Record<string, string>>): Promise<void>;
  /** Releases a session behind its owner's back; it is gone at once. Rejects when no such session is running. */
  release(sessionId: string): Promise<void>;
  /** Changes which keys are accepted from the next request on; undefined accepts every key that is not empty. */
  setApiKeys(apiKeys: readonly string[] | undefined): void;
  /** Puts a fault rule in force; it counts calls from now on. Throws an Error that names the field when it is not valid. */
  addFault(rule: FaultRule): Fault;
  /** The fault rules in force, oldest first. */
  faults(): Fault[];
  /** Takes all fault rules out of force, also those of the options. */
  clearFaults(): void;
  /** The last requests, oldest first, at most `limit` and 10,000. An entry is there before its reply is sent. */
  requests(limit?: number): JournalEntry[];
  /** How many requests each operation has had since the start or the last reset; operations without any are left out. */
  requestCounts(): Partial<Record<JournalEntry["operation"], number>>;
}

/** What can be done to an emulator whether or not it listens. */
export type EmulatorControls = Omit<Emulator, "url" | "close">;
