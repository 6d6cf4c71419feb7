// What happens when sessions end. They end by the clock, so nothing announces it. Every request looks for it, and while
// sessions run processes, which must not run on unnoticed, a timer does too.

import type { Clock } from "../clock";
import type { ContextMount } from "../contexts/context-record";
import type { ContextStore } from "../contexts/context-store";
import type { FileContents } from "../contexts/file-contents";
import { Synchronizer } from "../contexts/synchronizer";
import type { Faults } from "../faults";
import type { Settings } from "../options";
import { ContextMirror } from "../sandbox/context-mirror";
import { Sandboxes } from "../sandbox/sandboxes";
import type { SessionStore } from "./session-store";

const lookAgainMs = 500;

/** What sessions and contexts do beside being stored: running tools, copying files. */
export interface SessionRuntime {
  /** Undefined if no tools are allowed. */
  readonly sandboxes: Sandboxes | undefined;
  readonly synchronizer: Synchronizer;
  /** Begins to end the sandboxes of sessions that are over by now. Resolves when that is done. Never rejects. */
  endSandboxes(): Promise<void>;
  /** Resolves when no session that is over still uploads into one of the contexts. Never rejects. */
  waitForUploadsInto(contextIds: readonly string[]): Promise<void>;
  /** Starts the timer that looks for ended sessions. */
  watch(): void;
  /** Ends everything that sessions run. */
  close(): Promise<void>;
}

/** What a session runtime works with. */
export interface SessionRuntimeParts {
  readonly settings: Settings;
  readonly clock: Clock;
  /** Where the sessions' folders are; undefined for a temporary folder. */
  readonly sessionsFolder: string | undefined;
  readonly sessions: SessionStore;
  readonly contexts: ContextStore;
  readonly contents: FileContents;
  readonly faults: Faults;
  /** Resolves when all changes so far are on disk. */
  save(): Promise<void>;
}

export function createSessionRuntime(parts: SessionRuntimeParts): SessionRuntime {
  const { settings, clock, sessions, contexts, contents, faults } = parts;
  const sandboxes = settings.allowExec ? createSandboxes() : undefined;
  const synchronizer = new Synchronizer({
    contexts,
    clock,
    faults,
    syncDelayMs: settings.syncDelayMs,
    copyFiles:
      sandboxes &&
      ((sessionId, mount, direction) =>
        sandboxes.copyFiles({ sessionId, mounts: sessions.running(sessionId)?.mounts }, mount, direction)),
    sessionExists: (sessionId) => sessions.stateOf(sessionId) !== undefined,
  });

  function createSandboxes(): Sandboxes {
    const limits = { timeLimitMs: settings.toolTimeLimitMs, outputLimitBytes: settings.toolOutputLimitBytes };
    const mirror = new ContextMirror(contexts, contents, settings.maximumFileBytes);
    return new Sandboxes(parts.sessionsFolder, limits, mirror, uploadAtEnd);
  }

  async function uploadAtEnd(sessionId: string, mounts: readonly ContextMount[]): Promise<void> {
    // The session is over, so no client can ask for the status of this upload.
    const notify = (what: string) => settings.onNotice?.(`the end of session ${sessionId}: ${what}`);
    const tasks = await synchronizer.runAutomatic(sessionId, mounts, "upload");
    for (const { contextId, path, errorMessage } of tasks) {
      if (errorMessage !== undefined) {
        notify(`context ${contextId} at ${path}: ${errorMessage}`);
      }
    }
    // The next save tries again.
    await parts.save().catch((error: Error) => notify(`its contexts are not saved yet: ${error.message}`));
  }

  async function endSandboxes(): Promise<void> {
    sessions.applyTime();
    await sandboxes?.endAll((sessionId) => sessions.running(sessionId) === undefined);
  }

  let timer: NodeJS.Timeout | undefined;
  return {
    sandboxes,
    synchronizer,
    endSandboxes,
    waitForUploadsInto: async (contextIds) => sandboxes?.waitForUploadsInto(contextIds),
    watch() {
      if (sandboxes !== undefined) {
        timer = setInterval(() => void endSandboxes(), lookAgainMs);
        timer.unref();
        void warn(sandboxes, settings);
      }
    },
    async close() {
      clearInterval(timer);
      await sandboxes?.close();
    },
  };
}

async function warn(sandboxes: Sandboxes, { onNotice }: Settings): Promise<void> {
  if (onNotice !== undefined) {
    const warning = await sandboxes.warning().catch((error: Error) => `no tools can be run: ${error.message}`);
    if (warning !== undefined) {
      onNotice(warning);
    }
  }
}
