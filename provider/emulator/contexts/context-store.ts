import type { FileHandle } from "node:fs/promises";
import type { Clock } from "../clock";
import { randomString } from "../identifiers";
import type { EmulatorState } from "../state/emulator-state";
import type { ContextFile, ContextRecord, ContextState, SyncTask } from "./context-record";
import type { Content, FileContents } from "./file-contents";

/** All contexts of the account and their files. No timer ends a wipe: a context's state is computed when it is read. */
export class ContextStore {
  // Indexes of the state's rows: by context, by session.
  readonly #files = new Map<string, Map<string, ContextFile>>();
  readonly #transferContextIds = new Map<string, string>();
  readonly #syncTasks = new Map<string, Set<SyncTask>>();

  /** @param state has to be loaded already */
  constructor(
    private readonly state: EmulatorState,
    private readonly contents: FileContents,
    private readonly clock: Clock,
    private readonly clearDelayMs: number,
  ) {
    for (const { transferSessionId, contextId } of state.contexts.values()) {
      if (transferSessionId !== undefined) {
        this.#transferContextIds.set(transferSessionId, contextId);
      }
    }
    for (const file of state.contextFiles.values()) {
      this.#filesOf(file.contextId).set(file.path, file);
    }
    for (const task of state.syncTasks.values()) {
      this.#tasksOf(task.sessionId).add(task);
    }
  }

  /** Removes all contexts. */
  clear(): void {
    for (const record of [...this.state.contexts.values()]) {
      this.remove(record);
    }
    this.state.syncTasks.clear();
    this.#syncTasks.clear();
  }

  find(contextId: string): ContextRecord | undefined {
    return this.state.contexts.get(contextId);
  }

  findByName(name: string, regionId: string): ContextRecord | undefined {
    for (const record of this.state.contexts.values()) {
      if (record.name === name && record.regionId === regionId && record.transferSessionId === undefined) {
        return record;
      }
    }
    return undefined;
  }

  /** Newest first, without those that serve file transfers. */
  list(): ContextRecord[] {
    return [...this.state.contexts.values()].filter((record) => record.transferSessionId === undefined).reverse();
  }

  /** The context that serves a session's file transfers. */
  findTransferContext(sessionId: string): ContextRecord | undefined {
    return this.find(this.#transferContextIds.get(sessionId) ?? "");
  }

  create(name: string, regionId: string, transferSessionId?: string): ContextRecord {
    const nowMs = this.clock.now();
    const record: ContextRecord = {
      contextId: `SdkCtx-${randomString(22)}`,
      sequence: this.state.takeSequence(),
      name,
      regionId,
      createdAtMs: nowMs,
      lastUsedAtMs: nowMs,
      clearedAtMs: undefined,
      transferSessionId,
    };
    this.state.contexts.put(record);
    if (transferSessionId !== undefined) {
      this.#transferContextIds.set(transferSessionId, record.contextId);
    }
    return record;
  }

  rename(record: ContextRecord, name: string): void {
    this.state.contexts.put({ ...record, name });
  }

  /** Notes that a session mounts the context. */
  touch(record: ContextRecord): void {
    this.state.contexts.put({ ...record, lastUsedAtMs: this.clock.now() });
  }

  /** Removes the context and its files. */
  remove(record: ContextRecord): void {
    this.#removeAllFiles(record.contextId);
    this.state.contexts.delete(record.contextId);
    if (record.transferSessionId !== undefined) {
      this.#transferContextIds.delete(record.transferSessionId);
    }
  }

  /** Begins a wipe. The files are gone immediately; the state is `clearing` until the clear delay is over. */
  wipe(record: ContextRecord): void {
    this.#removeAllFiles(record.contextId);
    this.state.contexts.put({ ...record, clearedAtMs: this.clock.now() });
  }

  stateOf({ clearedAtMs }: ContextRecord): ContextState {
    return clearedAtMs !== undefined && this.clock.now() < clearedAtMs + this.clearDelayMs ? "clearing" : "available";
  }

  /** The files of a context, in no particular order. */
  files(contextId: string): Iterable<ContextFile> {
    return this.#files.get(contextId)?.values() ?? [];
  }

  findFile(contextId: string, path: string): ContextFile | undefined {
    return this.#files.get(contextId)?.get(path);
  }

  /**
   * Opens the present content of a file. The caller has to close it.
   *
   * @returns undefined if there is no such file
   * @throws ContentMissing when the content is not on disk; Error with a system error code when it cannot be opened
   */
  async openFile(contextId: string, path: string): Promise<{ file: ContextFile; content: FileHandle } | undefined> {
    let file = this.findFile(contextId, path);
    while (file !== undefined) {
      const { blob } = file;
      try {
        return { file, content: await this.contents.open(blob) };
      } catch (error) {
        file = this.findFile(contextId, path);
        // Another content means that this one was replaced in between and removed.
        if (file?.blob === blob) {
          throw error;
        }
      }
    }
    return undefined;
  }

  /** Adds a file, or gives it a new content. The context must exist. */
  putFile(contextId: string, path: string, { blob, sizeBytes }: Content): ContextFile {
    const nowMs = this.clock.now();
    const files = this.#filesOf(contextId);
    const earlier = files.get(path);
    const file: ContextFile = {
      fileId: earlier?.fileId ?? `file-${randomString(22)}`,
      contextId,
      path,
      blob,
      sizeBytes,
      createdAtMs: earlier?.createdAtMs ?? nowMs,
      modifiedAtMs: nowMs,
    };
    files.set(path, file);
    this.state.contextFiles.put(file);
    if (earlier !== undefined) {
      this.contents.release(earlier.blob);
    }
    return file;
  }

  /** Removes a file if it is there. */
  removeFile(contextId: string, path: string): void {
    const file = this.findFile(contextId, path);
    if (file !== undefined) {
      this.#files.get(contextId)?.delete(path);
      this.state.contextFiles.delete(file.fileId);
      this.contents.release(file.blob);
    }
  }

  /** Replaces the earlier task of the same session, context, path and direction. */
  addSyncTask(task: SyncTask): void {
    const { syncTasks } = this.state;
    const tasks = this.#tasksOf(task.sessionId);
    const earlier = syncTasks.get(syncTasks.idOf(task));
    if (earlier !== undefined) {
      tasks.delete(earlier);
      syncTasks.delete(syncTasks.idOf(earlier));
    }
    tasks.add(task);
    syncTasks.put(task);
  }

  /** Oldest first. */
  syncTasks(sessionId: string): SyncTask[] {
    return [...(this.#syncTasks.get(sessionId) ?? [])];
  }

  /** Removes what belongs to a session that is gone: its tasks and the context of its file transfers. */
  forgetSession(sessionId: string): void {
    const transferContext = this.findTransferContext(sessionId);
    if (transferContext !== undefined) {
      this.remove(transferContext);
    }
    for (const task of this.syncTasks(sessionId)) {
      this.state.syncTasks.delete(this.state.syncTasks.idOf(task));
    }
    this.#syncTasks.delete(sessionId);
  }

  #removeAllFiles(contextId: string): void {
    for (const file of [...this.files(contextId)]) {
      this.removeFile(contextId, file.path);
    }
    this.#files.delete(contextId);
  }

  #filesOf(contextId: string): Map<string, ContextFile> {
    return getOrAdd(this.#files, contextId, () => new Map());
  }

  #tasksOf(sessionId: string): Set<SyncTask> {
    return getOrAdd(this.#syncTasks, sessionId, () => new Set());
  }
}

function getOrAdd<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  const value = map.get(key) ?? create();
  map.set(key, value);
  return value;
}
