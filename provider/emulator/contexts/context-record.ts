/** A file in a context. The content lies in the context folder under `blob`. */
export interface ContextFile {
  /** Absolute and normalized: where the file is in a session that mounts the context. */
  readonly path: string;
  readonly fileId: string;
  /** Name of the file that holds the content; a changed content gets another one. */
  readonly blob: string;
  readonly sizeBytes: number;
  /** All times are milliseconds since 1970-01-01 UTC. */
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

/** What the emulator keeps of a context. Records are never changed in place; a change makes a new one. */
export interface ContextRecord {
  readonly contextId: string;
  /** Grows with every create; says which of two contexts is the newer one, also when the clock stands still. */
  readonly sequence: number;
  /** Unique within its region. */
  readonly name: string;
  readonly regionId: string;
  readonly createdAtMs: number;
  /** When a session last mounted it. */
  readonly lastUsedAtMs: number;
  /** When the last wipe began. */
  readonly clearedAtMs?: number | undefined;
  /** The session whose file transfers it serves: such a context is not listed and ends with its session. */
  readonly transferSessionId?: string | undefined;
  readonly files: readonly ContextFile[];
}

/** `available` once nothing is being wiped. The sibling's `in-use` is never shown: a client that waits for a wipe waits for `available`. */
export type ContextState = "available" | "clearing";

/** One way of a synchronization: `upload` is from the session to the context. */
export type SyncDirection = "upload" | "download";

/** The last synchronization of one context with one session in one direction. */
export interface SyncTask {
  readonly sessionId: string;
  readonly contextId: string;
  readonly path: string;
  readonly direction: SyncDirection;
  readonly startedAtMs: number;
  /** Until then it is reported as running. */
  readonly finishesAtMs: number;
  /** Why it failed; undefined when it did not. */
  readonly errorMessage?: string | undefined;
}

/** A context in a session: the files below `path` are the context's. */
export interface ContextMount {
  readonly contextId: string;
  /** Absolute and normalized. */
  readonly path: string;
  /** The policy as JSON text, kept as it was sent. */
  readonly policy?: string | undefined;
}
