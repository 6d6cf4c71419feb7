import type { Clock } from "../clock";
import type { Faults } from "../faults";
import { systemErrorReason } from "../system-errors";
import type { ContextFolder } from "./context-folder";
import type { ContextMount, SyncDirection, SyncTask } from "./context-record";
import type { ContextStore } from "./context-store";
import { parseSyncPolicy } from "./sync-policy";

/** Moves files between a session's folder and a context. */
export type MoveFiles = (sessionId: string, mount: ContextMount, direction: SyncDirection) => Promise<void>;

/** Synchronizes contexts with sessions and keeps account of it. */
export class Synchronizer {
  constructor(
    private readonly contexts: ContextStore,
    private readonly folder: ContextFolder,
    private readonly clock: Clock,
    private readonly faults: Faults,
    private readonly syncDelayMs: number,
    /** Without sandboxes sessions have no files, and every synchronization succeeds. */
    private readonly moveFiles: MoveFiles | undefined,
  ) {}

  /**
   * Synchronizes the mounts, also those that are not synchronized by themselves. A failure is kept in the account.
   *
   * @returns what was done, one task for each mount
   */
  async run(sessionId: string, mounts: readonly ContextMount[], direction: SyncDirection): Promise<SyncTask[]> {
    const tasks: SyncTask[] = [];
    for (const mount of mounts) {
      const { contextId, path } = mount;
      const startedAtMs = this.clock.now();
      const fault = this.faults.meetSyncStep(direction === "upload" ? "contextUpload" : "contextDownload");
      const errorMessage = fault.failureBefore ?? (await this.#copy(sessionId, mount, direction)) ?? fault.failureAfter;
      const finishesAtMs = startedAtMs + this.syncDelayMs + fault.delayMs;
      const task = { sessionId, contextId, path, direction, startedAtMs, finishesAtMs, errorMessage };
      this.contexts.addSyncTask(task);
      tasks.push(task);
    }
    await this.folder.save();
    return tasks;
  }

  /** @returns why it failed; undefined when it did not */
  async #copy(sessionId: string, mount: ContextMount, direction: SyncDirection): Promise<string | undefined> {
    try {
      if (this.contexts.find(mount.contextId) === undefined) {
        throw new Error("Context not found");
      }
      await this.moveFiles?.(sessionId, mount, direction);
      return undefined;
    } catch (error) {
      return systemErrorReason(error);
    }
  }

  /** Synchronizes the mounts whose policy says so: downloads when a session begins, uploads when it ends. */
  async runAutomatic(
    sessionId: string,
    mounts: readonly ContextMount[],
    direction: SyncDirection,
  ): Promise<SyncTask[]> {
    const wanted = mounts.filter((mount) => {
      const { uploadPolicy, downloadPolicy } = parseSyncPolicy("policy", mount.policy);
      return direction === "upload" ? uploadPolicy.autoUpload : downloadPolicy.autoDownload;
    });
    return this.run(sessionId, wanted, direction);
  }

  /** The account of a session's synchronizations, as AGB words it. Times are Unix seconds, 0 for what is not finished. */
  status(sessionId: string) {
    return this.contexts.syncTasks(sessionId).map((task) => this.#describe(task));
  }

  #describe(task: SyncTask) {
    const isFinished = this.clock.now() >= task.finishesAtMs;
    const verdict = task.errorMessage === undefined ? "Success" : "Failed";
    return {
      contextId: task.contextId,
      path: task.path,
      status: isFinished ? verdict : "Running",
      taskType: task.direction,
      startTime: Math.floor(task.startedAtMs / 1000),
      finishTime: isFinished ? Math.floor(task.finishesAtMs / 1000) : 0,
      errorMessage: isFinished ? (task.errorMessage ?? "") : "",
    };
  }
}
