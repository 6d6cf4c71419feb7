import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { type Emulator, startEmulator } from "../../provider/emulator";
import { ask, createId, keepAlive, labelsOf, list } from "../support/emulator-requests";

let emulator: Emulator;
let url: string;

beforeAll(async () => {
  emulator = await startEmulator({ apiKeys: ["test-key", "second-key"] });
  url = emulator.url;
});
beforeEach(() => emulator.reset());
afterAll(() => emulator.close());

interface RawAnswer {
  readonly status: number | undefined;
  readonly requestIdHeader: string | undefined;
  readonly text: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 4 });
afterAll(() => agent.destroy());

/** Sends requests that fetch would correct first. */
function sendAsIs(
  method: string,
  target: string,
  headers: Record<string, string> = {},
  body: string | Buffer = "",
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url);
    const outgoing = request(
      {
        agent,
        host: "127.0.0.1",
        port,
        method,
        path: target,
        headers: { authorization: "Bearer test-key", ...headers, "content-length": Buffer.byteLength(body) },
      },
      async (incoming) => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) {
          chunks.push(chunk as Buffer);
        }
        resolve({
          status: incoming.statusCode,
          requestIdHeader: incoming.headers["x-request-id"] as string | undefined,
          text: Buffer.concat(chunks).toString(),
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Writes bytes to a connection and returns everything that arrives until it ends. */
async function sendBytes(bytes: string | Buffer): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.end(bytes);
  await once(socket, "close");
  return Buffer.concat(chunks).toString();
}

describe("key", () => {
  const notLoggedIn = { success: false, code: "NOT_LOGIN", httpStatusCode: 400 };

  test.each(["test-key", "second-key"])("%s is accepted", async (key) => {
    expect((await ask(url, "GET", "/sdk/ListSession", { key })).status).toBe(200);
  });

  test.each([null, "wrong", "test-keys", "TEST-KEY"])("%s is refused before anything else", async (key) => {
    for (const answer of [
      await ask(url, "GET", "/sdk/ListSession", { key }),
      await ask(url, "POST", "/mcp/createSession", { key }),
      await ask(url, "POST", "/mcp/getSession", { key, body: { sessionId: "session-never" } }),
      await ask(url, "GET", "/no/such/path", { key }),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject(notLoggedIn);
      expect(answer.body.message).not.toMatch(/not found/i);
    }
  });

  test.each(["Basic dGVzdDp0ZXN0", "Bearer", "Bearer ", "test-key"])(
    "'%s' is no authorization",
    async (authorization) => {
      const answer = await sendAsIs("GET", "/sdk/ListSession", { authorization });

      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text)).toMatchObject(notLoggedIn);
    },
  );

  test("without a list of keys every key is accepted, but a missing one is not", async () => {
    const open = await startEmulator();
    try {
      expect((await ask(open.url, "GET", "/sdk/ListSession", { key: "anything" })).status).toBe(200);
      expect((await ask(open.url, "GET", "/sdk/ListSession", { key: null })).body).toMatchObject(notLoggedIn);
    } finally {
      await open.close();
    }
  });
});

describe("address", () => {
  test.each([
    ["GET", "/"],
    ["GET", "/sdk/listSession"],
    ["POST", "/sdk/ListSession"],
    ["GET", "/mcp/createSession"],
    ["POST", "/mcp/createSession/"],
    ["PUT", "/mcp/createSession"],
    ["OPTIONS", "/mcp/createSession"],
    ["GET", "/%zz"],
  ])("%s %s is an unknown action", async (method, target) => {
    const answer = await sendAsIs(method, target);

    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text)).toMatchObject({
      success: false,
      code: "InvalidAction.NotFound",
      httpStatusCode: 404,
      requestId: answer.requestIdHeader,
    });
  });

  test.each(["//mcp/createSession", "/mcp//createSession", "http://127.0.0.1/mcp/createSession"])(
    "%s is understood",
    async (target) => {
      const answer = await sendAsIs("POST", `${target}?imageId=agb-code-space-1`);

      expect(JSON.parse(answer.text).data.success).toBe(true);
    },
  );

  test.each(["localhost", "localhost:1234", "127.0.0.1", "[::1]:80", "LOCALHOST"])(
    "host %s is answered",
    async (host) => {
      expect((await sendAsIs("GET", "/sdk/ListSession", { host })).status).toBe(200);
    },
  );

  test.each(["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"])(
    "host '%s' is refused, so that no web page can bend its name to this computer",
    async (host) => {
      const answer = await sendAsIs("GET", "/sdk/ListSession", { host });

      expect(answer.status).toBe(421);
      expect(JSON.parse(answer.text)).toMatchObject({ success: false, code: "HostRefused" });
    },
  );

  test("a request without a host is refused with an envelope", async () => {
    const answer = await sendBytes("GET /sdk/ListSession HTTP/1.1\r\nconnection: close\r\n\r\n");

    expect(answer).toMatch(/^HTTP\/1.1 421 /);
    expect(answer).toContain('"success":false');
  });

  test("there are no CORS headers for other origins", async () => {
    const answer = await fetch(`${url}/sdk/ListSession`, { headers: { origin: "https://evil.example" } });

    expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

describe("body", () => {
  const json = { "content-type": "application/json" };

  test.each(["", "{}", " \n", '{"other":[1,2]}'])("'%s' is as good as no parameters", async (body) => {
    const sessionId = await createId(url);

    const answer = await sendAsIs("POST", `/mcp/refreshSessionIdleTime?sessionId=${sessionId}`, json, body);

    expect(answer.status).toBe(200);
  });

  test.each(["{", "null", "[]", '"text"', "7", "sessionId=x"])("'%s' is refused", async (body) => {
    const answer = await sendAsIs("POST", "/mcp/getSession", json, body);

    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).message).toMatch(/^body: /);
  });

  test("a body over 1 MiB is refused as too large, a smaller one is not", async () => {
    const filled = (size: number) => JSON.stringify({ filler: "x".repeat(size) });

    const large = await sendAsIs("POST", "/mcp/getSession", json, filled(1024 * 1024));
    const small = await sendAsIs("POST", "/mcp/getSession", json, filled(1024 * 1024 - 100));

    expect(large.status).toBe(413);
    expect(JSON.parse(large.text)).toMatchObject({ success: false, httpStatusCode: 413 });
    expect(JSON.parse(small.text).message).toContain("sessionId: ");
  });

  test("survives deeply nested JSON", async () => {
    const answer = await sendAsIs("POST", "/mcp/getSession", json, `{"sessionId":${"[".repeat(500_000)}`);

    expect(answer.status).toBe(400);
  });
});

test("a request that is not HTTP gets an envelope too", async () => {
  const answer = await sendBytes("this is not HTTP\r\n\r\n");

  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(JSON.parse(answer.split("\r\n\r\n")[1] as string)).toMatchObject({ success: false, httpStatusCode: 400 });
});

test("endless headers get an envelope too", async () => {
  const answer = await sendAsIs("GET", `/sdk/ListSession?labels=${"x".repeat(200_000)}`);

  expect(answer.status).toBe(431);
  expect(JSON.parse(answer.text).success).toBe(false);
});

test("random bytes never stop the emulator", async () => {
  for (let round = 0; round < 50; round += 1) {
    await sendBytes(randomBytes(200));
    await sendBytes(Buffer.concat([Buffer.from("POST /mcp/createSession HTTP/1.1\r\n"), randomBytes(100)]));
  }

  expect((await list(url)).status).toBe(200);
});

describe("journal", () => {
  test("has operation, status and session of every request, and nothing secret", async () => {
    const sessionId = await createId(url, { owner: "secret-label" });
    const kept = await keepAlive(url, sessionId);
    await labelsOf(url, sessionId);
    await ask(url, "GET", "/sdk/ListSession", { key: "secret-key", query: { labels: '{"owner":"secret-label"}' } });
    await ask(url, "GET", "/nowhere", { query: { sessionId: "secret-id" } });
    await ask(url, "POST", "/mcp/getSession", { body: { sessionId: "secret id" } });

    expect(emulator.requests().map((entry) => [entry.operation, entry.method, entry.path, entry.status])).toEqual([
      ["createSession", "POST", "/mcp/createSession", 200],
      ["refreshSessionIdleTime", "POST", "/mcp/refreshSessionIdleTime", 200],
      ["GetLabel", "GET", "/sdk/GetLabel", 200],
      ["ListSession", "GET", "/sdk/ListSession", 400],
      ["unknown", "GET", "/nowhere", 404],
      ["getSession", "POST", "/mcp/getSession", 400],
    ]);
    expect(emulator.requests().map((entry) => entry.sessionId)).toEqual([
      sessionId,
      sessionId,
      sessionId,
      undefined,
      undefined,
      undefined,
    ]);
    expect(emulator.requests()[1]?.requestId).toBe(kept.body.requestId);
    expect(emulator.requestCounts()).toEqual({
      createSession: 1,
      refreshSessionIdleTime: 1,
      GetLabel: 1,
      ListSession: 1,
      unknown: 1,
      getSession: 1,
    });
    expect(JSON.stringify(emulator.requests())).not.toMatch(/secret|authcode/);
  });

  test("is empty after a reset", async () => {
    await list(url);

    await emulator.reset();

    expect(emulator.requests()).toEqual([]);
    expect(emulator.requestCounts()).toEqual({});
  });
});

test("close finishes although a client keeps its connections open", async () => {
  const other = await startEmulator({ latencyMs: 0 });
  await list(other.url);
  const idle = connect(Number(new URL(other.url).port), "127.0.0.1");
  await once(idle, "connect");
  const half = connect(Number(new URL(other.url).port), "127.0.0.1");
  half.write("POST /mcp/getSession HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{");
  half.on("error", () => {});
  idle.on("error", () => {});

  await Promise.all([other.close(), other.close()]);

  await expect(list(other.url)).rejects.toThrow();
  idle.destroy();
  half.destroy();
});
