/** A file in a context. Records are never changed in place; a change creates a new one. */
export interface ContextFile {
  readonly fileId: string;
  readonly contextId: string;
  /** Absolute and normalized: where the file is in a session that mounts the context. */
  readonly path: string;
  /** Name of the file that holds the content. A changed content gets another name. */
  readonly blob: string;
  readonly sizeBytes: number;
  /** All times are milliseconds since 1970-01-01 UTC. */
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

/** What the emulator keeps of a context. Records are never changed in place; a change creates a new one. */
export interface ContextRecord {
  readonly contextId: string;
  /** Grows with every create. It says which of two contexts is newer, also when the clock stands still. */
  readonly sequence: number;
  /** Unique within its region. */
  readonly name: string;
  readonly regionId: string;
  readonly createdAtMs: number;
  /** When a session last mounted it. */
  readonly lastUsedAtMs: number;
  /** When the last wipe began. */
  readonly clearedAtMs?: number | undefined;
  /** The session whose file transfers it serves. Such a context is not listed and ends with its session. */
  readonly transferSessionId?: string | undefined;
}

/** `available` when no wipe is running. The sibling's `in-use` is never shown: clients wait for `available` after a wipe. */
export type ContextState = "available" | "clearing";

/** The direction of a synchronization. `upload` is from the session to the context. */
export type SyncDirection = "upload" | "download";

/** The last synchronization of one context with one session in one direction. */
export interface SyncTask {
  readonly sessionId: string;
  readonly contextId: string;
  readonly path: string;
  readonly direction: SyncDirection;
  readonly startedAtMs: number;
  /** It is reported as running until then. */
  readonly finishesAtMs: number;
  /** Why it failed; undefined if it did not. */
  readonly errorMessage?: string | undefined;
}

/** A context in a session: the files below `path` are the context's. */
export interface ContextMount {
  readonly contextId: string;
  /** Absolute and normalized. */
  readonly path: string;
  /** The policy as a JSON string, kept as it was sent. */
  readonly policy?: string | undefined;
}
