import { openClient } from "./agb-client";
import { startTestEmulator, testKey } from "./agb-emulator";

/** Keys of an emulator that takes calls of the client and plain requests that store files. */
export const bothKeys = { apiKeys: [testKey, "test-key"] };

/** Starts an emulator and a client for it. */
export async function openEmulator(options: Parameters<typeof startTestEmulator>[0] = {}) {
  const emulator = await startTestEmulator({ ...bothKeys, ...options });
  return { emulator, client: openClient(emulator.url) };
}

/** Reads a list to its end. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) {
    collected.push(item);
  }
  return collected;
}
