import type { EmulatorOptions } from "../../provider/emulator";
import { startTestEmulator, testKey } from "./agb-emulator";
import { createContext, upload } from "./emulator-requests";
import { FakeClock } from "./fake-clock";
import type { Host } from "./resource-hosts";
import { declare, failureOf, openProvider, Stack, type State } from "./session-stack";

export const minuteMs = 60_000;
export const path = "/home/user/data";

/** An emulator with a context that holds a file, and a stack whose sessions mount it. */
export async function openMounts(
  { host, ...options }: EmulatorOptions & { readonly host?: Host } = {},
  clock = new FakeClock(),
) {
  // The second key is that of the plain requests that store files.
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"], clock, ...options });
  const stack = new Stack(openProvider(emulator.url, clock, {}, host), emulator);
  const contextId = await createContext(emulator.url, "data");
  await upload(emulator.url, contextId, `${path}/first`, "text");
  const mounted = (more: Record<string, unknown> = {}) =>
    declare({ team: "web" }, { contextSyncs: [{ contextId, path }], ...more });
  const release = (state: State) => stack.provider.delete(state.id, state.outputs);
  const operations = () => emulator.requests().map(({ operation }) => operation);
  return { clock, emulator, stack, contextId, mounted, release, operations };
}

/** What Pulumi keeps of a resource whose create or update failed with properties. */
export async function unfinished(work: Promise<unknown>, inputs: Record<string, unknown>) {
  const failure = await failureOf(work);
  const { id, properties, reasons } = failure as unknown as { id: string; properties: unknown; reasons: string[] };
  const state = { id, inputs, outputs: { ...(properties as object) } } as State;
  return { state, reasons: (reasons ?? []).join("\n") };
}
