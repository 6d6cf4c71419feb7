import { confirmAccess } from "../../provider/api/sessions";
import { startEmulator } from "../../provider/emulator";
import { openObservedClient } from "../support/agb-client";
import { testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts, openHost } from "../support/resource-hosts";
import { deadAddress, startScriptedServer } from "../support/scripted-server";
import { declare } from "../support/session-stack";

withoutRetryDelay();

describe.each(hosts)("served by the %s host", (host) => {
  test("20 creates that search for their sessions print one line besides the outage's", async () => {
    const lines = jest.spyOn(console, "error").mockImplementation();
    const server = await startScriptedServer((_, response) => void response.writeHead(503).end());
    const { session: provider } = openHost(host, { AGB_API_KEY: testKey, AGB_ENDPOINT: server.url });
    const news = declare({}, { timeouts: { create: 1 } });
    await Promise.allSettled(Array.from({ length: 20 }, () => provider.create(news)));
    expect(lines.mock.calls.flat()).toHaveLength(2);
  });

  test("100 resources whose endpoint is down print one line, and one line when it answers again", async () => {
    const lines = jest.spyOn(console, "error").mockImplementation();
    const address = await deadAddress();
    const { session: provider, configure } = openHost(host, {
      AGB_API_KEY: testKey,
      AGB_ENDPOINT: `http://${address}`,
    });
    const refresh = () =>
      Promise.allSettled(Array.from({ length: 100 }, (_, number) => provider.read(`session-${number}`, {})));

    const failures = await refresh();
    expect(failures.filter(({ status }) => status === "rejected")).toHaveLength(100);
    expect(lines.mock.calls.flat()).toEqual([expect.stringContaining(`agb: no connection to http://${address} for `)]);

    // A new configuration, as another resource of the same run hands it over, does not make it another outage.
    configure({ "agb:timeoutMs": "50000" });
    await refresh();
    expect(lines.mock.calls).toHaveLength(1);

    closeAfterTest(await startEmulator({ port: Number(address.split(":")[1]), apiKeys: [testKey] }));
    await provider.create(declare());
    expect(lines.mock.calls.flat().slice(1)).toEqual([
      expect.stringMatching(new RegExp(`^agb: http://${address} answers again, after [\\d.]+ s\\.$`)),
    ]);
  });
});

test("a call that this process itself ends before it is sent is no outage and is not retried", async () => {
  const server = await startScriptedServer(() => {});
  const { client, retries } = openObservedClient(server.url);
  const stop = new AbortController();
  const call = confirmAccess(client.untilAborted(stop.signal));
  stop.abort();
  await expect(call).rejects.toThrow();
  expect(retries).toEqual([]);
  expect(server.requests).toEqual([]);
});
