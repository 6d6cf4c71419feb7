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
  /** When the idle timer was last reset. */
  readonly lastActivityAtMs: number;
  /** When the release began or, if nobody uses the session, will begin. */
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

/** A running emulator. Its methods cause drift and show what the emulator holds and was asked. */
export interface Emulator {
  /** Where this computer reaches it: `http://127.0.0.1:PORT` unless the option `host` says otherwise; no slash at the end. */
  readonly url: string;
  /** Removes all sessions and contexts, empties the journal, and sets fault rules, keys and the clock to what the options say. */
  reset(): Promise<void>;
  /** Stops listening, saves the state and releases the state file. Does not wait for clients. A second call waits for the first. */
  close(): Promise<void>;
  /** All sessions that are running or being released, newest first. */
  sessions(): EmulatedSession[];
  /** The emulator's time: that of the option `clock` plus what `advanceClock` added; milliseconds since 1970-01-01 UTC. */
  nowMs(): number;
  /** Moves the clock ahead by this many milliseconds. Rejects with a RangeError if they are negative or lead beyond the end of dates. */
  advanceClock(ms: number): Promise<void>;
  /** All contexts, newest first. */
  contexts(): EmulatedContext[];
  /** Replaces a session's labels behind its owner's back, to cause drift. No limits apply. Rejects if the session is not running. */
  setLabels(sessionId: string, labels: Readonly<Record<string, string>>): Promise<void>;
  /** Releases a session behind its owner's back. It is gone immediately. Rejects if the session is not running. */
  release(sessionId: string): Promise<void>;
  /** Changes which keys are accepted, from the next request on. Undefined accepts every key that is not empty. */
  setApiKeys(apiKeys: readonly string[] | undefined): void;
  /** Adds a fault rule, which counts calls from now on. Throws an Error that names the field if the rule is not valid. */
  addFault(rule: FaultRule): Fault;
  /** The fault rules in force, oldest first. */
  faults(): Fault[];
  /** Removes all fault rules, also those of the options. */
  clearFaults(): void;
  /** The last requests, oldest first, at most `limit` and 10,000. An entry is added before its reply is sent. */
  requests(limit?: number): JournalEntry[];
  /** How many requests each operation has had since the start or the last reset. Operations without requests are left out. */
  requestCounts(): Partial<Record<JournalEntry["operation"], number>>;
}

/** What a program can do to an emulator apart from closing it. */
export type EmulatorControls = Omit<Emulator, "url" | "close">;
