// What follows from the end of sessions. Sessions end by the clock, so nothing tells when one does: it is looked for at
// every request, and from time to time while sessions run processes, which must not run on unnoticed.

import type { Clock } from "./clock";
import type { ContextFolder } from "./contexts/context-folder";
import type { ContextStore } from "./contexts/context-store";
import { Synchronizer } from "./contexts/synchronizer";
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
): SessionSurroundings {
  const limits = { timeLimitMs: settings.toolTimeLimitMs, outputLimitBytes: settings.toolOutputLimitBytes };
  const mirror = new ContextMirror(contexts, contextFolder, settings.maximumFileBytes);
  const sandboxes: Sandboxes | undefined = settings.allowExec
    ? new Sandboxes(statePath, limits, mirror, async (sessionId, mounts) => {
        await synchronizer.runAutomatic(sessionId, mounts, "upload").catch(() => {
          // The session is over, so nobody is there to be told; the next write of the index tries again.
        });
      })
    : undefined;
  const synchronizer = new Synchronizer(
    contexts,
    contextFolder,
    clock,
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
      }
    },
    async close() {
      clearInterval(timer);
      await sandboxes?.close();
    },
  };
}
