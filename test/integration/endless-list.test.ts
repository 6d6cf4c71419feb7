import { listSessions } from "../../provider/api/sessions";
import { openClient } from "../support/agb-client";
import { testKey } from "../support/agb-emulator";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts, openHost } from "../support/resource-hosts";
import { sendSuccess, startScriptedServer } from "../support/scripted-server";
import { declare } from "../support/session-stack";

withoutRetryDelay();

/** Starts a service whose list of sessions never ends and that loses the reply to every create. */
function startEndlessService() {
  return startScriptedServer(({ path, socket }, response, call) => {
    if (path.endsWith("/createSession")) {
      socket.resetAndDestroy();
    } else {
      sendSuccess(response, { data: [], nextToken: `token ${call}` });
    }
  });
}

test("an endless list of sessions fails after a bounded number of calls", async () => {
  const server = await startEndlessService();
  await expect(listSessions(openClient(server.url)).next()).rejects.toMatchObject({
    name: "AgbEndlessListError",
    operation: "ListSession",
  });
  expect(server.requests).toHaveLength(100);
});

test("a list keeps the time limit of its client", async () => {
  const server = await startScriptedServer(() => {});
  const failure = listSessions(openClient(server.url).within(300)).next();
  await expect(failure).rejects.toMatchObject({ name: "AgbTimeoutError" });
  expect(server.requests).toHaveLength(1);
});

test.each(hosts)(
  "a create of the %s host whose reply was lost does not search for its session forever",
  async (host) => {
    const server = await startEndlessService();
    const { session: provider } = openHost(host, { AGB_API_KEY: testKey, AGB_ENDPOINT: server.url });
    const create = provider.create(declare({ team: "web" }, { timeouts: { create: 5 } }));
    await expect(create).rejects.toThrow(/the list of ListSession did not end after 100 pages/);
    expect(server.operations().filter((operation) => operation === "createSession")).toHaveLength(1);
  },
);
