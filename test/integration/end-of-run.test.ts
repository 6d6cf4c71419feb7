import { join } from "node:path";
import { providerReference } from "../../provider/resources/reference";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { startHesitantAgb } from "../support/hesitant-agb";
import { type HostProcess, startHostProcess } from "../support/host-process";
import { repositoryRoot, runNode } from "../support/node-process";
import { type Host, hosts } from "../support/resource-hosts";
import {
  type ReceivedRequest,
  sendJson,
  sendRefusal,
  sendSuccess,
  startScriptedServer,
} from "../support/scripted-server";

const inputs = {
  imageId: "agb-code-space-1",
  labels: {},
  labelsAll: {
    "pulumi-project": "shop",
    "pulumi-stack": "dev",
    "pulumi-stack-id": "0123456789abcdef",
    "pulumi-resource": "web",
  },
  __provider: providerReference("session"),
};

async function startProvider(host: Host, url: string, environment: Record<string, string> = {}) {
  const provider = await startHostProcess(host, environment);
  await provider.configure({ "agb:apiKey": testKey, "agb:endpoint": url });
  return provider;
}

/** The labels that the first create asked for, as the wire has them. */
function createLabels(requests: readonly ReceivedRequest[]): string {
  const create = requests.find(({ path }) => path.endsWith("createSession"));
  return (JSON.parse(create?.body ?? "{}") as { labels: string }).labels;
}

/** Asks for sessions that AGB would refuse by their image until the process itself refuses to make any. */
async function untilCreatesAreRefused(provider: HostProcess): Promise<void> {
  const probe = { ...inputs, imageId: "probe" };
  for (;;) {
    const failure = await provider.session.create(probe).catch((error: Error) => error);
    if (failure instanceof Error && failure.message.includes("the run ended")) {
      return;
    }
  }
}

describe.each(hosts)("served by the %s host", (host) => {
  test.each([
    ["the engine dies, so that the standard input ends", (provider: HostProcess) => provider.endInput()],
    ["the engine asks it to stop with SIGTERM", (provider: HostProcess) => provider.signal("SIGTERM")],
    ["the engine asks it to stop with SIGINT", (provider: HostProcess) => provider.signal("SIGINT")],
  ])("when %s, what is being made is released and the process ends", async (_, end) => {
    const { server, answer, arrived } = await startHesitantAgb();
    const provider = await startProvider(host, server.url);
    const created = provider.session.create(inputs).catch((error: Error) => error);
    await arrived;
    end(provider);
    // The end must have reached the process before the reply does: it refuses new creates from then on.
    await untilCreatesAreRefused(provider);
    answer();
    expect(await provider.ended()).toBe(1);
    expect(await created).toBeInstanceOf(Error);
    const releases = server.requests.filter(({ path }) => path.endsWith("releaseSessionAsync"));
    expect(releases.map(({ body }) => body)).toEqual(['{"sessionId":"session-1"}']);
  });

  test("when the engine dies during a search, the search continues and releases the session that it finds", async () => {
    let hasEnded = false;
    let search: () => void = () => undefined;
    const searched = new Promise<void>((resolve) => {
      search = resolve;
    });
    const server = await startScriptedServer(({ path, query }, response) => {
      if (query["imageId"] === "probe") {
        sendRefusal(response, "InvalidParameter");
      } else if (path.endsWith("createSession")) {
        sendRefusal(response, "InternalError", "no", 500);
      } else if (path.endsWith("ListSession")) {
        search();
        sendSuccess(response, { data: hasEnded ? [{ sessionId: "session-1" }] : [] });
      } else if (path.endsWith("GetLabel")) {
        sendSuccess(response, { data: { labels: createLabels(server.requests) } });
      } else {
        sendSuccess(response, { data: { sessionId: "session-1" } });
      }
    });
    const provider = await startProvider(host, server.url);
    const created = provider.session.create(inputs).catch((error: Error) => error);
    await searched;
    provider.endInput();
    await untilCreatesAreRefused(provider);
    hasEnded = true;
    expect(await provider.ended()).toBe(1);
    await created;
    const operations = server.requests.filter(({ query }) => query["imageId"] !== "probe").map(({ path }) => path);
    expect(operations.filter((path) => path.endsWith("createSession"))).toHaveLength(1);
    expect(operations).toContain("/mcp/releaseSessionAsync");
  });

  test("when the engine dies while a create waits for its next attempt, no further create is sent and the process ends", async () => {
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const server = await startScriptedServer((_request, response) => {
      arrive();
      sendJson(response, { success: false, code: "Throttling" }, 429, { "retry-after": "59" });
    });
    const provider = await startProvider(host, server.url);
    const created = provider.session.create(inputs).catch((error: Error) => error);
    await arrived;
    provider.endInput();
    expect(await provider.ended()).toBe(1);
    await created;
    expect(server.operations()).toEqual(["createSession"]);
  });

  test("a server that never answers does not keep the process alive", async () => {
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const server = await startScriptedServer(() => arrive());
    // The process gives its creates 20 seconds. In it, they pass in 200 milliseconds.
    const fastTimers = join(repositoryRoot, "test", "support", "fast-timers.cjs");
    const provider = await startProvider(host, server.url, { NODE_OPTIONS: `--require ${JSON.stringify(fastTimers)}` });
    const created = provider.session.create(inputs).catch((error: Error) => error);
    await arrived;
    provider.endInput();
    expect(await provider.ended()).toBe(1);
    await created;
  });

  test.each([
    ["the standard input ends", (provider: HostProcess) => provider.endInput()],
    ["SIGTERM comes", (provider: HostProcess) => provider.signal("SIGTERM")],
  ])("a process with nothing under way ends when %s, and its sessions live on", async (_, end) => {
    const emulator = await startTestEmulator();
    const provider = await startProvider(host, emulator.url);
    await provider.session.create(inputs);
    end(provider);
    expect(await provider.ended()).toBe(1);
    expect(emulator.sessions()).toHaveLength(1);
  });

  test("a process without a pipe as its input does not treat the empty input as the end of the run", async () => {
    const emulator = await startTestEmulator();
    const provider = await startHostProcess(host, {}, { input: "ignore" });
    await provider.configure({ "agb:apiKey": testKey, "agb:endpoint": emulator.url });
    await provider.session.create(inputs);
    await provider.session.create(inputs);
    expect(emulator.sessions()).toHaveLength(2);
  });
});

test("many creates can wait for the end of the run without a warning of Node", async () => {
  const script = `
    const { CreatesInFlight } = require("./provider/kinds/creates-in-flight");
    const { systemClock } = require("./provider/lifecycle/wait");
    process.on("warning", ({ message }) => console.log(message));
    const { ended } = new CreatesInFlight();
    for (let creates = 0; creates < 30; creates++) {
      systemClock.sleep(1, ended);
    }
  `;
  expect(await runNode(["--import", "tsx", "-e", script], repositoryRoot)).toBe("");
});
