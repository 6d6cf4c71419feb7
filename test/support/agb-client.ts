import { AgbClient, type ClientSettings, type RetryNotice } from "../../provider/api/client";
import { findProxy } from "../../provider/api/proxy";
import { testKey } from "./agb-emulator";
import { closeAfterTest } from "./close-after-test";

/** A client that ends with the test. */
export function openClient(baseUrl: string, settings: Partial<ClientSettings> = {}): AgbClient {
  const proxy = findProxy(baseUrl, process.env);
  return closeAfterTest(new AgbClient({ baseUrl, proxy, apiKey: testKey, timeoutMs: 10_000, ...settings }));
}

/** A client and the retries that it has told of so far. */
export function openObservedClient(baseUrl: string, settings: Partial<ClientSettings> = {}) {
  const retries: RetryNotice[] = [];
  return { retries, client: openClient(baseUrl, { onRetry: (notice) => retries.push(notice), ...settings }) };
}
