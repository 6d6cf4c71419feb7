import { AgbClient, type ClientSettings, type RetryNotice } from "../../provider/api/client";
import { findProxy } from "../../provider/api/proxy";
import { testKey } from "./agb-emulator";
import { closeAfterTest } from "./close-after-test";

/** Opens a client that is closed after the test. */
export function openClient(baseUrl: string, settings: Partial<ClientSettings> = {}): AgbClient {
  const proxy = findProxy(baseUrl, process.env);
  return closeAfterTest(new AgbClient({ baseUrl, proxy, apiKey: testKey, timeoutMs: 10_000, ...settings }));
}

/** Opens a client and records its retries. */
export function openObservedClient(baseUrl: string, settings: Partial<ClientSettings> = {}) {
  const retries: RetryNotice[] = [];
  return { retries, client: openClient(baseUrl, { onRetry: (notice) => retries.push(notice), ...settings }) };
}
