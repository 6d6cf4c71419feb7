// What follows from the end of sessions. Sessions end by the clock, so nothing tells when one does: it is looked for at
// every request, and from time to time while sessions run processes, which must not run on unnoticed.

import type { Clock } from "./clock";
import type { ContextFolder } from "./contexts/context-folder";
import type { ContextStore } from "./contexts/context-store";
import { Synchronizer } from "./contexts/synchronizer";
import type { Faults } from "./faults";
import type { Settings } from "./options";
import { ContextMirror } from "./sandbox/context-mirror";
import { Sandboxes } from "./sandbox/sandboxes";
import type { SessionStore } from "./store";

const lookAgainMs = 500;

/** The sandboxes of an emulator, if it allows them, and the contexts in them. */
export interface SessionSurroundings {
  readonly sandboxes: Sandboxes | undefined;
  readonly synchronizer: Synchronizer;
  /** Resolves when what follows from the end of sessions that are over by now is done. Never rejects. */
  settle(): Promise<void>;
  /** Begins to look for the end of sessions from time to time. */
  watch(): void;
  /** Ends everything that sessions run. */
  close(): Promise<void>;
}

/** @param statePath the state file, when there is one */
export function surroundSessions(
  settings: Settings,
  clock: Clock,
  statePath: string | undefined,
  store: SessionStore,
  contexts: ContextStore,
  contextFolder: ContextFolder,
  faults: Faults,
): SessionSurroundings {
  const limits = { timeLimitMs: settings.toolTimeLimitMs, outputLimitBytes: settings.toolOutputLimitBytes };
  const mirror = new ContextMirror(contexts, contextFolder, settings.maximumFileBytes);
  const sandboxes: Sandboxes | undefined = settings.allowExec
    ? new Sandboxes(statePath, limits, mirror, async (sessionId, mounts) => {
        // The session is over, so no client can ask for the state of the synchronization any more.
        const say = (what: string) => settings.onNotice?.(`the end of session ${sessionId}: ${what}`);
        await synchronizer.runAutomatic(sessionId, mounts, "upload").then(
          (tasks) => {
            for (const { contextId, path, errorMessage } of tasks) {
              if (errorMessage !== undefined) {
                say(`context ${contextId} at ${path}: ${errorMessage}`);
              }
            }
          },
          // The next write of the index tries again.
          (error: Error) => say(`its contexts are not saved yet: ${error.message}`),
        );
      })
    : undefined;
  const synchronizer = new Synchronizer(
    contexts,
    contextFolder,
    clock,
    faults,
    settings.syncDelayMs,
    sandboxes &&
      ((sessionId, mount, direction) =>
        sandboxes.moveFiles({ sessionId, mounts: store.running(sessionId)?.mounts }, mount, direction)),
  );
  const settle = async () => {
    await sandboxes?.settle((sessionId) => store.running(sessionId) !== undefined);
    contexts.forgetSessions((sessionId) => store.state(sessionId) !== undefined);
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    sandboxes,
    synchronizer,
    settle,
    watch() {
      if (sandboxes !== undefined) {
        timer = setInterval(() => void settle(), lookAgainMs);
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
