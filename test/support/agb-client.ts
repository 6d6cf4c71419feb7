import { AgbClient, type ClientSettings, type RetryNotice } from "../../provider/api/client";
import { testKey } from "./agb-emulator";
import { closeAfterTest } from "./close-after-test";

/** A client that ends with the test. */
export function openClient(baseUrl: string, settings: Partial<ClientSettings> = {}): AgbClient {
  return closeAfterTest(new AgbClient({ baseUrl, apiKey: testKey, timeoutMs: 10_000, ...settings }));
}

/** A client and the retries that it has told of so far. */
export function openObservedClient(baseUrl: string, settings: Partial<ClientSettings> = {}) {
  const retries: RetryNotice[] = [];
  return { retries, client: openClient(baseUrl, { onRetry: (notice) => retries.push(notice), ...settings }) };
}
