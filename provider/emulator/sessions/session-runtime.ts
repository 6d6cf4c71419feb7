// What happens when sessions end. They end by the clock, so nothing announces it. Every request looks for sessions that
// have ended. A timer does too while sessions run processes, which must end with their session.

import type { Clock } from "../clock";
import type { ContextMount } from "../contexts/context-record";
import type { ContextStore } from "../contexts/context-store";
import type { FileContents } from "../contexts/file-contents";
import { Synchronizer } from "../contexts/synchronizer";
import type { Faults } from "../faults";
import type { EmulatorNoticeCode, Settings } from "../options";
import { ContextMirror } from "../sandbox/context-mirror";
import { Sandboxes } from "../sandbox/sandboxes";
import type { SessionStore } from "./session-store";

const lookAgainMs = 500;

/** What sessions and contexts do apart from being stored: they run tools and copy files. */
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
    const notify = (code: EmulatorNoticeCode, text: string) => settings.onNotice?.(text, code);
    const tasks = await synchronizer.runAutomatic(sessionId, mounts, "upload");
    for (const { contextId, path, errorMessage } of tasks) {
      if (errorMessage !== undefined) {
        notify(
          "UPLOAD_FAILED",
          `Not all files of context ${contextId} at ${path} were uploaded at the end of session ${sessionId}: ${asSentence(errorMessage)}`,
        );
      }
    }
    await parts.save().catch((error: Error) => {
      const what = `The contexts of the ended session ${sessionId} could not be saved: ${asSentence(error.message)}`;
      notify("STATE_NOT_SAVED", `${what} The next request tries again.`);
    });
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
  if (onNotice === undefined) {
    return;
  }
  await sandboxes.warning().then(
    (warning) => warning !== undefined && onNotice(warning, "NOT_ISOLATED"),
    (error: Error) => {
      const reason = asSentence(error.message);
      onNotice(`Sessions cannot run tools: ${reason} Fix that, then start the emulator again.`, "TOOLS_UNAVAILABLE");
    },
  );
}

function asSentence(text: string): string {
  return text.replace(/\.?$/, ".");
}
