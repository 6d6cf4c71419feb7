import type { Clock } from "../clock";
import type { Faults } from "../faults";
import { systemErrorReason } from "../system-errors";
import type { ContextMount, SyncDirection, SyncTask } from "./context-record";
import type { ContextStore } from "./context-store";
import { parseSyncPolicy } from "./sync-policy";

/** Copies files between a session's folder and a context. */
export type CopyFiles = (sessionId: string, mount: ContextMount, direction: SyncDirection) => Promise<void>;

/** What synchronizing needs. */
export interface SynchronizerParts {
  readonly contexts: ContextStore;
  readonly clock: Clock;
  readonly faults: Faults;
  /** How long a synchronization is reported as running. */
  readonly syncDelayMs: number;
  /** Without it sessions have no files, and every synchronization succeeds. */
  readonly copyFiles: CopyFiles | undefined;
  /** Whether a session is not gone yet. Only then can anybody ask for the status of its synchronizations. */
  sessionExists(sessionId: string): boolean;
}

/** Synchronizes contexts with sessions and keeps the status of it. */
export class Synchronizer {
  constructor(private readonly parts: SynchronizerParts) {}

  /**
   * Synchronizes the mounts, whatever their policy says. A failure is part of the status.
   *
   * @returns one task for each mount
   */
  async run(sessionId: string, mounts: readonly ContextMount[], direction: SyncDirection): Promise<SyncTask[]> {
    const { contexts, clock, faults, syncDelayMs } = this.parts;
    const tasks: SyncTask[] = [];
    for (const mount of mounts) {
      const { contextId, path } = mount;
      const startedAtMs = clock.now();
      const fault = faults.countSyncStep(direction === "upload" ? "contextUpload" : "contextDownload");
      const errorMessage = fault.failureBefore ?? (await this.#copy(sessionId, mount, direction)) ?? fault.failureAfter;
      const finishesAtMs = startedAtMs + syncDelayMs + fault.delayMs;
      const task = { sessionId, contextId, path, direction, startedAtMs, finishesAtMs, errorMessage };
      tasks.push(task);
      if (this.parts.sessionExists(sessionId)) {
        contexts.addSyncTask(task);
      }
    }
    return tasks;
  }

  /** Synchronizes the mounts whose policy asks for it: a download when a session begins, an upload when it ends. */
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

  /** The status of a session's synchronizations in AGB's words. Times are Unix seconds; 0 means not finished. */
  status(sessionId: string) {
    return this.parts.contexts.syncTasks(sessionId).map((task) => this.#describe(task));
  }

  /** @returns why it failed; undefined if it did not */
  async #copy(sessionId: string, mount: ContextMount, direction: SyncDirection): Promise<string | undefined> {
    const { contexts, copyFiles } = this.parts;
    if (contexts.find(mount.contextId) === undefined) {
      return "Context not found";
    }
    try {
      await copyFiles?.(sessionId, mount, direction);
      return undefined;
    } catch (error) {
      return systemErrorReason(error);
    }
  }

  #describe(task: SyncTask) {
    const isFinished = this.parts.clock.now() >= task.finishesAtMs;
    const outcome = task.errorMessage === undefined ? "Success" : "Failed";
    return {
      contextId: task.contextId,
      path: task.path,
      status: isFinished ? outcome : "Running",
      taskType: task.direction,
      startTime: Math.floor(task.startedAtMs / 1000),
      finishTime: isFinished ? Math.floor(task.finishesAtMs / 1000) : 0,
      errorMessage: isFinished ? (task.errorMessage ?? "") : "",
    };
  }
}
