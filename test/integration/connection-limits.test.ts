import dns from "node:dns";
import type { Duplex } from "node:stream";
import { connectTimeoutMs } from "../../provider/api/open-socket";
import { certainlyHadNoEffect } from "../../provider/api/retry";
import { createSession, getSession } from "../../provider/api/sessions";
import { openClient, openObservedClient } from "../support/agb-client";
import { testKey } from "../support/agb-emulator";
import { startHostProcess } from "../support/host-process";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { repositoryRoot, runNode } from "../support/node-process";
import { startProxy, startRawServer, staySilent, tunnelTo } from "../support/raw-server";
import { hosts, openHost } from "../support/resource-hosts";
import { sendSuccess, startScriptedServer } from "../support/scripted-server";
import { declare } from "../support/session-stack";
import { setVariable } from "../support/set-variable";

withoutRetryDelay();

const request = { imageId: "agb-code-space-1", labels: { team: "web" } };
const session = { data: { sessionId: "session-1", appInstanceId: "ai-1", resourceId: "p-1" } };
const ignore = () => {};

/** Long enough for a busy machine to reach the step that stalls, and short enough to wait for. */
const limit = { timeoutMs: 1_000 };

function useProxy(url: string): void {
  setVariable("HTTPS_PROXY", url);
  setVariable("HTTP_PROXY", url);
}

async function failureOf(call: Promise<unknown>): Promise<Error> {
  return call.then(
    () => {
      throw new Error("the call should have failed");
    },
    (error: Error) => error,
  );
}

describe.each(["https://agb.invalid", "http://agb.invalid"])("a proxy on the way to %s", (endpoint) => {
  const variable = endpoint.startsWith("https") ? "HTTPS_PROXY" : "HTTP_PROXY";
  const target = `agb.invalid:${endpoint.startsWith("https") ? 443 : 80}`;

  test("that closes instead of opening a tunnel is asked once per attempt, five times in all", async () => {
    const proxy = await startProxy((socket) => socket.destroy());
    useProxy(proxy.url);
    const { client, retries } = openObservedClient(endpoint);
    const failure = await failureOf(createSession(client, request));
    expect(failure).toMatchObject({ name: "AgbNetworkError", requestSent: false, lasting: false });
    expect(failure.message).toContain(
      `the proxy ${proxy.url} (${variable}) did not open a tunnel to ${target}: it closed the connection. `,
    );
    expect(failure.message).toContain("list agb.invalid in NO_PROXY");
    expect(proxy.tunnels).toEqual(Array(5).fill(target));
    expect(retries).toHaveLength(4);
  });

  test("that never answers ends with the time limit of the call, and nothing was sent", async () => {
    const proxy = await startProxy(staySilent);
    useProxy(proxy.url);
    const failure = await failureOf(createSession(openClient(endpoint, limit), request));
    expect(failure).toMatchObject({ name: "AgbTimeoutError", timeoutMs: 1_000, requestSent: false });
    expect(failure.message).toBe(
      `no connection to ${endpoint} for createSession within 1000 ms; nothing was sent. ` +
        `Last step: waiting for the proxy ${proxy.url} (${variable}) to open a tunnel to ${target}`,
    );
    expect(certainlyHadNoEffect(failure)).toBe(true);
    await proxy.allClosed();
    expect(proxy.tunnels).toEqual([target]);
  });

  test("forwards calls, with the user name and password of its URL, and keeps the tunnel", async () => {
    const server = await startScriptedServer((_, response) => sendSuccess(response, session));
    const proxy = await startProxy(tunnelTo(Number(new URL(server.url).port)));
    useProxy(proxy.url.replace("//", "//me:p%40ss@"));
    const client = openClient("http://agb.invalid");
    await getSession(client, "session-1");
    await getSession(client, "session-1");
    expect(proxy.tunnels).toEqual(["agb.invalid:80"]);
    expect(proxy.credentials).toEqual([`Basic ${Buffer.from("me:p@ss").toString("base64")}`]);
    expect(server.requests[0]?.headers.host).toBe("agb.invalid");
    expect(JSON.stringify(server.requests.map(({ headers }) => headers))).not.toContain("proxy-");
  });
});

describe("a proxy that refuses the tunnel", () => {
  test.each([
    [407, 1, "user name and password"],
    [403, 1, "NO_PROXY"],
    [502, 5, "HTTP 502"],
  ])("with HTTP %i is asked %i times, and the message names it", async (status, times, remedy) => {
    const proxy = await startProxy((socket) => socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`));
    useProxy(proxy.url.replace("//", "//me:hidden@"));
    const failure = await failureOf(createSession(openClient("https://agb.invalid"), request));
    expect(failure).toMatchObject({ name: "AgbNetworkError", requestSent: false, lasting: times === 1 });
    expect(failure.message).toContain(`the proxy ${proxy.url} (HTTPS_PROXY)`);
    expect(failure.message).toContain(`HTTP ${status}`);
    expect(failure.message).toContain(remedy);
    expect(failure.message).not.toContain("hidden");
    expect(proxy.tunnels).toHaveLength(times);
  });

  test("with a reply that is not HTTP is asked five times", async () => {
    const proxy = await startProxy((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"));
    useProxy(proxy.url);
    const failure = await failureOf(createSession(openClient("https://agb.invalid"), request));
    expect(failure).toMatchObject({ name: "AgbNetworkError", requestSent: false });
    expect(proxy.tunnels).toHaveLength(5);
  });
});

describe("a proxy that is reached by https://", () => {
  test("and does not speak TLS is asked once; the message names the variable to change", async () => {
    const proxy = await startProxy(staySilent);
    useProxy(proxy.url.replace("http:", "https:"));
    const failure = await failureOf(createSession(openClient("https://agb.invalid"), request));
    expect(failure).toMatchObject({ name: "AgbNetworkError", requestSent: false, lasting: true });
    expect(failure.message).toMatch(/the proxy https:\S+ \(HTTPS_PROXY\): it does not speak TLS.*http:\/\/ in front/);
    expect(proxy.sockets).toHaveLength(1);
  });
});

test("NO_PROXY bypasses the proxy", async () => {
  const proxy = await startProxy((socket) => socket.destroy());
  const server = await startScriptedServer((_, response) => sendSuccess(response, session));
  useProxy(proxy.url);
  setVariable("NO_PROXY", "other.example, agb.invalid");
  resolveNamesTo("127.0.0.1");
  await getSession(openClient(`http://agb.invalid:${new URL(server.url).port}`), "session-1");
  expect(proxy.tunnels).toEqual([]);
  expect(server.requests).toHaveLength(1);
});

describe("a name", () => {
  test("that does not exist is looked up once per attempt, and nothing was sent", async () => {
    const lookups = jest.spyOn(dns, "lookup").mockImplementation(((name: string, _: unknown, callback: LookupEnd) => {
      const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" });
      setImmediate(() => callback(error, undefined));
    }) as never);
    const failure = await failureOf(createSession(openClient("https://agb.invalid"), request));
    expect(failure).toMatchObject({ name: "AgbNetworkError", requestSent: false });
    expect(failure.message).toContain("getaddrinfo ENOTFOUND agb.invalid");
    expect(lookups).toHaveBeenCalledTimes(5);
  });

  test("whose lookup never ends ends the call with its time limit", async () => {
    jest.spyOn(dns, "lookup").mockImplementation(ignore as never);
    const failure = await failureOf(createSession(openClient("https://agb.invalid", limit), request));
    expect(failure).toMatchObject({ name: "AgbTimeoutError", requestSent: false });
    expect(failure.message).toContain("Last step: looking up agb.invalid");
  });
});

describe("TLS", () => {
  test.each<[string, (socket: Duplex) => void]>([
    ["never begins", staySilent],
    // The head of a record that announces 16 KiB, of which nothing follows.
    ["stops half way", (socket) => socket.resume().write(Buffer.from([0x16, 3, 3, 0x40, 0]))],
  ])("that %s ends with the time limit of the call, and nothing was sent", async (_, onConnection) => {
    const server = await startRawServer(onConnection);
    const endpoint = `https://127.0.0.1:${server.port}`;
    const failure = await failureOf(createSession(openClient(endpoint, limit), request));
    expect(failure).toMatchObject({ name: "AgbTimeoutError", timeoutMs: 1_000, requestSent: false });
    expect(failure.message).toContain(`Last step: negotiating TLS with 127.0.0.1:${server.port}`);
    await server.allClosed();
    expect(server.sockets).toHaveLength(1);
  });

  test("that never begins behind a tunnel ends with the time limit, and the tunnel is closed", async () => {
    const proxy = await startProxy((socket) => socket.resume().write("HTTP/1.1 200 OK\r\n\r\n"));
    useProxy(proxy.url);
    const failure = await failureOf(createSession(openClient("https://agb.invalid", limit), request));
    expect(failure).toMatchObject({ name: "AgbTimeoutError", requestSent: false });
    expect(failure.message).toContain("Last step: negotiating TLS with agb.invalid:443");
    await proxy.allClosed();
    expect(proxy.tunnels).toHaveLength(1);
  });

  test("that never begins is retried after ten seconds, five times in all, while the call has time", async () => {
    const server = await startRawServer(staySilent);
    jest.useFakeTimers({ doNotFake: [...everythingButTimeouts] });
    try {
      const client = openClient(`https://127.0.0.1:${server.port}`, { timeoutMs: 2_000_000 });
      const failure = failureOf(createSession(client, request));
      for (let attempt = 1; attempt <= 5; attempt++) {
        while (server.sockets.length < attempt) {
          await new Promise(setImmediate);
        }
        jest.advanceTimersByTime(connectTimeoutMs);
      }
      expect(await failure).toMatchObject({ name: "AgbNetworkError", requestSent: false, lasting: false });
      expect((await failure).message).toMatch(/it took longer than 10000 ms\. Last step: negotiating TLS/);
    } finally {
      jest.useRealTimers();
    }
    await server.allClosed();
    expect(server.sockets).toHaveLength(5);
  });

  test.each(hosts)("that never begins does not make a create of the %s host uncertain", async (host) => {
    const server = await startRawServer(staySilent);
    const environment = {
      AGB_API_KEY: testKey,
      AGB_ENDPOINT: `https://127.0.0.1:${server.port}`,
      AGB_TIMEOUT_MS: "1000",
    };
    const failure = await failureOf(openHost(host, environment).session.create(declare()));
    expect(failure.message).toContain("within 1000 ms; nothing was sent");
    expect(failure.message).not.toMatch(/may exist|could not be found out/);
    expect(failure.message).toContain("AGB_ENDPOINT");
    expect(server.sockets).toHaveLength(1);
  });
});

describe("a reply", () => {
  test("that does not arrive ends the call, which may have taken effect", async () => {
    const server = await startRawServer(staySilent);
    const client = openClient(`http://127.0.0.1:${server.port}`, limit);
    const failure = await failureOf(createSession(client, request));
    expect(failure).toMatchObject({ name: "AgbTimeoutError", timeoutMs: 1_000, requestSent: true });
    expect(failure.message).toBe("AGB did not answer createSession within 1000 ms");
    expect(certainlyHadNoEffect(failure)).toBe(false);
    await server.allClosed();
  });

  test.each([
    ["the head", "HTTP/1.1 200 OK\r\nx-drip: "],
    ["the body", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"],
  ])("that never ends in %s ends with the time limit of the call", async (place, start) => {
    const server = await startRawServer((socket) => {
      socket.once("data", () => socket.write(start));
      const drip = setInterval(() => socket.write(place === "the head" ? "a" : "1\r\n \r\n"), 20);
      socket.once("close", () => clearInterval(drip));
    });
    const failure = await failureOf(getSession(openClient(`http://127.0.0.1:${server.port}`, limit), "session-1"));
    expect(failure).toMatchObject({ name: "AgbTimeoutError", requestSent: true });
    await server.allClosed();
  });

  test("that is larger than any reply of AGB is not read to its end and not retried", async () => {
    const block = Buffer.alloc(1024 * 1024, " ");
    const server = await startScriptedServer((_, response) => {
      response.writeHead(200);
      const pour = () => {
        while (!response.destroyed && response.write(block)) {}
      };
      response.on("drain", pour);
      pour();
    });
    const failure = await failureOf(getSession(openClient(server.url), "session-1"));
    expect(failure).toMatchObject({ name: "AgbUnexpectedReplyError" });
    expect(failure.message).toContain("it is larger than 4 MiB");
    expect(server.requests).toHaveLength(1);
  });
});

describe("a free connection", () => {
  test("that does not become available ends the call with its time limit, and nothing was sent", async () => {
    const server = await startScriptedServer(ignore);
    const client = openClient(server.url);
    const busy = Array.from({ length: 32 }, () => getSession(client, "session-1").catch(ignore));
    const failure = await failureOf(createSession(client.within(1_000), request));
    expect(failure).toMatchObject({ name: "AgbTimeoutError", requestSent: false });
    expect(failure.message).toContain("Last step: waiting until one of 32 connections is free");
    expect(new Set(server.requests.map(({ socket }) => socket.remotePort)).size).toBeLessThanOrEqual(32);
    await client.close();
    await Promise.all(busy);
  });
});

describe("closing a client", () => {
  test("ends a call that is still connecting", async () => {
    const proxy = await startProxy(staySilent);
    useProxy(proxy.url);
    const client = openClient("https://agb.invalid", { timeoutMs: 2_000_000 });
    const call = failureOf(createSession(client, request));
    await client.close();
    expect(await call).toMatchObject({ name: "AgbNetworkError", requestSent: false });
    await proxy.allClosed();
  });

  test("ends a call whose reply does not arrive", async () => {
    let arrive: () => void = ignore;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const server = await startRawServer((socket) => void socket.on("data", () => arrive()));
    const client = openClient(`http://127.0.0.1:${server.port}`, { timeoutMs: 2_000_000 });
    const call = failureOf(getSession(client, "session-1"));
    await arrived;
    await client.close();
    expect(await call).toMatchObject({ name: "AgbNetworkError", requestSent: true });
    await server.allClosed();
  });
});

test.each(hosts)(
  "the process of the %s host behind a proxy that closes fails a create after five attempts, with one line about the cause",
  async (host) => {
    const proxy = await startProxy((socket) => socket.destroy());
    const provider = await startHostProcess(host, {
      AGB_API_KEY: testKey,
      AGB_ENDPOINT: "https://agb.invalid",
      HTTPS_PROXY: proxy.url,
    });
    await provider.configure({});
    const failure = await failureOf(provider.session.create(declare()));
    await provider.close();
    expect(failure.message).toContain('could not create AgbSession "web": no connection to https://agb.invalid');
    expect(failure.message).toContain(`the proxy ${proxy.url} (HTTPS_PROXY) did not open a tunnel`);
    expect(proxy.tunnels).toHaveLength(5);
    expect(provider.said().trim().split("\n")).toEqual([expect.stringMatching(/^agb: no connection to .* retried/)]);
  },
);

describe("a process", () => {
  test.each(["a proxy that never answers", "a proxy that closes", "TLS that never begins"])(
    "ends by itself after a call that failed because of %s, without closing its client",
    async (obstacle) => {
      const proxy = await startProxy((socket) => {
        staySilent(socket);
        if (obstacle === "a proxy that closes") {
          socket.destroy();
        } else if (obstacle === "TLS that never begins") {
          socket.write("HTTP/1.1 200 OK\r\n\r\n");
        }
      });
      const report = await runNode(["--import", "tsx", "-e", callingScript("https://agb.invalid")], repositoryRoot, {
        HTTPS_PROXY: proxy.url,
      });
      expect(report).toMatch(/for createSession/);
      await proxy.allClosed();
    },
  );

  test("ends by itself after many calls through one tunnel, and Node reports no leak", async () => {
    const server = await startScriptedServer((_, response) => sendSuccess(response, session));
    const proxy = await startProxy(tunnelTo(Number(new URL(server.url).port)));
    const report = await runNode(["--import", "tsx", "-e", callingScript("http://agb.invalid")], repositoryRoot, {
      HTTP_PROXY: proxy.url,
    });
    expect(report).toBe("made session-1");
    expect(server.requests).toHaveLength(21);
    expect(proxy.tunnels).toHaveLength(1);
  });
});

const everythingButTimeouts = [
  "Date",
  "hrtime",
  "nextTick",
  "performance",
  "queueMicrotask",
  "setImmediate",
  "clearImmediate",
  "setInterval",
  "clearInterval",
] as const;

type LookupEnd = (error: Error | null, addresses: unknown, family?: number) => void;

function resolveNamesTo(address: string): void {
  jest.spyOn(dns, "lookup").mockImplementation(((_: string, options: { all?: boolean }, callback: LookupEnd) => {
    setImmediate(() => (options.all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4)));
  }) as never);
}

function callingScript(endpoint: string): string {
  return `
    const { AgbClient } = require("./provider/api/client");
    const { createSession, getSession } = require("./provider/api/sessions");
    const { readSettings } = require("./provider/config");
    const environment = { ...process.env, AGB_API_KEY: "${testKey}", AGB_ENDPOINT: "${endpoint}", AGB_TIMEOUT_MS: "1000" };
    const { apiKey, ...settings } = readSettings(() => undefined, environment);
    const client = new AgbClient({ ...settings, apiKey: apiKey.value });
    process.on("warning", (warning) => console.log(warning.message));
    const work = async () => {
      const { sessionId } = await createSession(client, ${JSON.stringify(request)});
      for (let call = 0; call < 20; call++) {
        await getSession(client, sessionId);
      }
      console.log("made " + sessionId);
    };
    work().catch((error) => console.log(error.message));
  `;
}
