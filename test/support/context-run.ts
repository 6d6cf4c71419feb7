import { type CreateContextOptions, createOwnedContext } from "../../provider/lifecycle/context";
import { ContextsInUse } from "../../provider/lifecycle/contexts-in-use";
import { openClient } from "./agb-client";
import { startTestEmulator, testKey } from "./agb-emulator";
import { FakeClock } from "./fake-clock";
import { sendSuccess, startScriptedServer } from "./scripted-server";

/** A run against an emulator: what its resources share, and both clocks in one. */
export async function startRun(options: Parameters<typeof startTestEmulator>[0] = {}) {
  const clock = new FakeClock();
  // The second key is that of the plain requests that store files.
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"], clock, ...options });
  const client = openClient(emulator.url);
  const inUse = new ContextsInUse();
  const make = (name: string, more: Partial<CreateContextOptions> = {}) =>
    createOwnedContext(client, name, { inUse, clock, ...more });
  return { clock, emulator, client, inUse, make };
}

export const isCreate = (query: Readonly<Record<string, string>>) => query["allowCreate"] === "true";

/** A service with one context, whose state is what the script says for each look at it. */
export async function startOneContext(stateOf: (look: number) => string | undefined) {
  let looks = 0;
  const server = await startScriptedServer(({ path }, response) => {
    if (path.endsWith("/GetContext")) {
      looks += 1;
      sendSuccess(response, { data: { id: "SdkCtx-1", name: "data", state: stateOf(looks) } });
    } else {
      sendSuccess(response, { data: [], count: 0 });
    }
  });
  return { server, client: openClient(server.url), clock: new FakeClock(), inUse: new ContextsInUse() };
}
