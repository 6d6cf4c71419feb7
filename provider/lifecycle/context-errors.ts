import type { SyncDirection } from "../api/context-sync";
import type { FileCount } from "../api/contexts";
import { CleanError } from "../api/errors";
import { printable, quoted } from "../api/outside-text";

/** A context cannot be created or renamed, because its new name exists. */
export class AgbContextExistsError extends CleanError {
  /**
   * @param contextName the name that exists
   * @param contextId the context that has it
   * @param isTakenInThisRun whether another resource of this process owns it
   */
  constructor(
    readonly contextName: string,
    readonly contextId: string,
    readonly isTakenInThisRun = false,
  ) {
    super(
      `a context with the name ${quoted(contextName)} already exists (${printable(contextId)})` +
        (isTakenInThisRun ? ", and another resource of this run owns it" : ""),
    );
  }
}

/** AGB is still deleting the files of a context when the time limit is over. */
export class AgbContextClearingError extends CleanError {
  constructor(
    readonly contextId: string,
    readonly timeoutMs: number,
  ) {
    super(`AGB is still clearing context ${printable(contextId)} after ${timeoutMs} ms`);
  }
}

/** A context cannot be deleted, because it holds files. */
export class AgbContextNotEmptyError extends CleanError {
  constructor(
    readonly contextId: string,
    readonly count: FileCount,
  ) {
    super(`context ${printable(contextId)} holds ${describeCount(count)}`);
  }
}

function describeCount({ files, isComplete }: FileCount): string {
  const number = `${files} ${files === 1 ? "file" : "files"}`;
  return isComplete
    ? number
    : files > 0
      ? `at least ${number}`
      : "files or folders, but not all of them could be listed";
}

/** A create failed, but AGB may have created the context. */
export class AgbUncertainContextError extends CleanError {
  constructor(
    readonly contextName: string,
    options: ErrorOptions,
  ) {
    const { cause } = options;
    super(
      `it is not known whether the context ${quoted(contextName)} was created` +
        (cause instanceof Error ? `: ${cause.message}` : ""),
      options,
    );
  }
}

/** AGB accepted a change of a context but does not show it within the time limit. */
export class AgbContextUnchangedError extends CleanError {
  /** @param change `delete`, or `rename` to another name */
  constructor(
    readonly change: "delete" | "rename",
    readonly contextId: string,
    readonly timeoutMs: number,
  ) {
    const state = change === "delete" ? "still exists" : "still has its old name";
    super(`AGB accepted the ${change} of context ${printable(contextId)}, but it ${state} after ${timeoutMs} ms`);
  }
}

/** A mount whose files were not synchronized. */
export interface SyncFailure {
  readonly contextId: string;
  /** Path of the mount. */
  readonly path: string;
  /** Why, as AGB says it; clean and ready to be shown. */
  readonly reason: string;
  /** Whether the time limit ended the wait, so AGB did not report a failure. */
  readonly isTimeout: boolean;
}

/** Contexts that were not synchronized with their session. */
export class AgbContextSyncError extends CleanError {
  constructor(
    readonly sessionId: string,
    readonly direction: SyncDirection,
    readonly failures: readonly SyncFailure[],
  ) {
    super(failures.map((failure) => describeFailure(direction, failure)).join("; "));
  }
}

function describeFailure(direction: SyncDirection, { contextId, path, reason }: SyncFailure): string {
  const way =
    direction === "download"
      ? `download of context ${printable(contextId)} to ${printable(path)}`
      : `upload of ${printable(path)} to context ${printable(contextId)}`;
  return `the ${way} failed: ${reason}`;
}
