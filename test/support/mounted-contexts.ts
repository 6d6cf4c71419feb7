import { createContext } from "../../provider/api/contexts";
import { createSession } from "../../provider/api/sessions";
import type { ContextMount } from "../../provider/api/sync-policy";
import { openClient } from "./agb-client";
import { startTestEmulator, testKey } from "./agb-emulator";
import { upload } from "./emulator-requests";
import { FakeClock } from "./fake-clock";
import { sendSuccess, startScriptedServer } from "./scripted-server";

export const imageId = "agb-code-space-1";
export const path = "/home/user/data";
export const manual = { uploadPolicy: { autoUpload: false }, downloadPolicy: { autoDownload: false } };

/** A session in the emulator that mounts a new context, which holds the files. */
export async function startMounted(
  options: Parameters<typeof startTestEmulator>[0] = {},
  files: readonly string[] = ["/home/user/data/a"],
) {
  const clock = new FakeClock();
  // The second key is that of the plain requests that store files.
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"], clock, ...options });
  const client = openClient(emulator.url);
  const { contextId } = await createContext(client, "data");
  for (const file of files) {
    await upload(emulator.url, contextId, file, "text");
  }
  const mounts: ContextMount[] = [{ contextId, path }];
  const { sessionId } = await createSession(client, { imageId, labels: {}, mounts });
  return { clock, emulator, client, contextId, mounts, sessionId };
}

/** An item as AGB shows it; what is not given is that of a finished upload. */
export function item(over: Record<string, unknown> = {}) {
  const times = { startTime: 100, finishTime: 101 };
  return { contextId: "SdkCtx-1", path, status: "Success", taskType: "upload", errorMessage: "", ...times, ...over };
}

/** What a scripted service shows of its synchronizations. */
export interface View {
  /** How often the status was asked for, from 1. */
  readonly look: number;
  /** How many looks there have been since the last SyncContext; 0 when there was none. */
  readonly sinceTrigger: number;
}

/** A service with one session and the context `SdkCtx-1`, which holds a file unless it is said to be empty. */
export async function startService(show: (view: View) => unknown, files: readonly unknown[] = [{ filePath: "/a" }]) {
  let look = 0;
  let triggeredAt: number | undefined;
  const server = await startScriptedServer(({ path: called }, response) => {
    if (called.endsWith("/SyncContext")) {
      triggeredAt = look;
      sendSuccess(response);
    } else if (called.endsWith("/DescribeContextFiles")) {
      sendSuccess(response, { data: files, count: files.length });
    } else {
      look += 1;
      const items = show({ look, sinceTrigger: triggeredAt === undefined ? 0 : look - triggeredAt });
      const contextStatus =
        typeof items === "string" ? items : JSON.stringify([{ type: "data", data: JSON.stringify(items) }]);
      sendSuccess(response, { data: { contextStatus } });
    }
  });
  const mounts: ContextMount[] = [{ contextId: "SdkCtx-1", path }];
  return { server, client: openClient(server.url), clock: new FakeClock(), mounts, sessionId: "session-1" };
}
