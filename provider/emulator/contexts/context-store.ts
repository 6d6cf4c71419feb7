import type { Clock } from "../clock";
import { randomText } from "../identifiers";
import type { ContextFile, ContextRecord, ContextState, SyncTask } from "./context-record";

/** Everything about contexts that outlives a restart, except the files' contents. */
export interface StoredContexts {
  readonly nextSequence: number;
  readonly contexts: readonly ContextRecord[];
  readonly syncTasks: readonly SyncTask[];
}

/** All contexts of the account, in memory. Wipes end by the clock when a context is looked at, never by a timer. */
export class ContextStore {
  // In the order of creation.
  #records = new Map<string, ContextRecord>();
  // Those of them that serve file transfers, by session.
  #transferContexts = new Map<string, ContextRecord>();
  #syncTasks: SyncTask[] = [];
  #nextSequence = 1;
  #revision = 0;

  constructor(
    private readonly clock: Clock,
    private readonly clearDelayMs: number,
  ) {}

  /** Grows with every change. */
  get revision(): number {
    return this.#revision;
  }

  load(stored: StoredContexts): void {
    const inOrder = [...stored.contexts].sort((left, right) => left.sequence - right.sequence);
    this.#records = new Map(inOrder.map((record) => [record.contextId, record]));
    this.#transferContexts = new Map(
      inOrder.flatMap((record) => (record.transferSessionId === undefined ? [] : [[record.transferSessionId, record]])),
    );
    this.#nextSequence = Math.max(stored.nextSequence, (inOrder.at(-1)?.sequence ?? 0) + 1);
    this.#syncTasks = [...stored.syncTasks];
  }

  snapshot(): StoredContexts {
    return { nextSequence: this.#nextSequence, contexts: [...this.#records.values()], syncTasks: this.#syncTasks };
  }

  clear(): void {
    this.#records.clear();
    this.#transferContexts.clear();
    this.#syncTasks = [];
    this.#revision += 1;
  }

  find(contextId: string): ContextRecord | undefined {
    return this.#records.get(contextId);
  }

  findByName(name: string, regionId: string): ContextRecord | undefined {
    return this.list().find((record) => record.name === name && record.regionId === regionId);
  }

  /** Newest first, without those that serve file transfers. */
  list(): ContextRecord[] {
    return [...this.#records.values()].filter((record) => record.transferSessionId === undefined).reverse();
  }

  /** The context that serves a session's file transfers. */
  findTransferContext(sessionId: string): ContextRecord | undefined {
    return this.#transferContexts.get(sessionId);
  }

  create(name: string, regionId: string, transferSessionId?: string): ContextRecord {
    const nowMs = this.clock.now();
    const record: ContextRecord = {
      contextId: `SdkCtx-${randomText(22)}`,
      sequence: this.#nextSequence,
      name,
      regionId,
      createdAtMs: nowMs,
      lastUsedAtMs: nowMs,
      clearedAtMs: undefined,
      transferSessionId,
      files: [],
    };
    this.#nextSequence += 1;
    this.#keep(record);
    return record;
  }

  rename(record: ContextRecord, name: string): void {
    this.#keep({ ...record, name });
  }

  /** Notes that a session mounts the context. */
  touch(record: ContextRecord): void {
    this.#keep({ ...record, lastUsedAtMs: this.clock.now() });
  }

  remove(record: ContextRecord): void {
    this.#records.delete(record.contextId);
    if (record.transferSessionId !== undefined) {
      this.#transferContexts.delete(record.transferSessionId);
    }
    this.#revision += 1;
  }

  /** Begins a wipe: the files are gone at once, the state says so when the clear delay is over. */
  wipe(record: ContextRecord): void {
    this.#keep({ ...record, clearedAtMs: this.clock.now(), files: [] });
  }

  state(record: ContextRecord): ContextState {
    const { clearedAtMs } = record;
    return clearedAtMs !== undefined && this.clock.now() < clearedAtMs + this.clearDelayMs ? "clearing" : "available";
  }

  /** Adds a file, or replaces its content; the context must exist. */
  putFile(contextId: string, path: string, content: { readonly blob: string; readonly sizeBytes: number }): void {
    const record = this.#records.get(contextId) as ContextRecord;
    const nowMs = this.clock.now();
    const earlier = record.files.find((file) => file.path === path);
    const file: ContextFile = {
      path,
      fileId: earlier?.fileId ?? `file-${randomText(22)}`,
      blob: content.blob,
      sizeBytes: content.sizeBytes,
      createdAtMs: earlier?.createdAtMs ?? nowMs,
      modifiedAtMs: nowMs,
    };
    this.#keep({ ...record, files: [...record.files.filter((other) => other.path !== path), file] });
  }

  /** Removes the files, if they are there; the context must exist. */
  removeFiles(contextId: string, paths: ReadonlySet<string>): void {
    const record = this.#records.get(contextId) as ContextRecord;
    this.#keep({ ...record, files: record.files.filter((file) => !paths.has(file.path)) });
  }

  /** Replaces the earlier task of the same session, context, path and direction. */
  addSyncTask(task: SyncTask): void {
    this.#syncTasks = [...this.#syncTasks.filter((other) => !isSameWay(task, other)), task];
    this.#revision += 1;
  }

  /** Oldest first. */
  syncTasks(sessionId: string): SyncTask[] {
    return this.#syncTasks.filter((task) => task.sessionId === sessionId);
  }

  /** Forgets what belongs to sessions that are no more: their tasks and the contexts of their file transfers. */
  forgetSessions(isThere: (sessionId: string) => boolean): void {
    if (this.#syncTasks.length === 0 && this.#transferContexts.size === 0) {
      return;
    }
    const isLost = (sessionId: string | undefined) => sessionId !== undefined && !isThere(sessionId);
    const lost = [...this.#transferContexts.values()].filter((record) => isLost(record.transferSessionId));
    const kept = this.#syncTasks.filter((task) => !isLost(task.sessionId));
    for (const record of lost) {
      this.remove(record);
    }
    if (kept.length < this.#syncTasks.length) {
      this.#syncTasks = kept;
      this.#revision += 1;
    }
  }

  #keep(record: ContextRecord): void {
    this.#records.set(record.contextId, record);
    if (record.transferSessionId !== undefined) {
      this.#transferContexts.set(record.transferSessionId, record);
    }
    this.#revision += 1;
  }
}

function isSameWay(left: SyncTask, right: SyncTask): boolean {
  return (
    left.sessionId === right.sessionId &&
    left.contextId === right.contextId &&
    left.path === right.path &&
    left.direction === right.direction
  );
}
