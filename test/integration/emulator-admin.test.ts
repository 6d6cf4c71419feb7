import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, ManualClock, startEmulator } from "../../provider/emulator";
import { askAdmin, pageToken } from "../support/admin-requests";
import { createId, labelsOf, list, listAll, notFound, status } from "../support/emulator-requests";

const clock = new ManualClock();
let emulator: Emulator;
let url: string;

beforeAll(async () => {
  emulator = await startEmulator({ clock });
  url = emulator.url;
});
beforeEach(() => emulator.reset());
afterAll(() => emulator.close());

describe("clock", () => {
  test("can be read and moved ahead, and then ends idle sessions", async () => {
    const before = await askAdmin(url, "GET", "clock");
    expect(before.body).toEqual({ nowMs: clock.now(), now: new Date(clock.now()).toISOString() });
    const sessionId = await createId(url, {}, { timeout: 60 });

    const after = await askAdmin(url, "POST", "clock", { advanceMs: 61_000 });

    expect(after.status).toBe(200);
    expect(after.body.nowMs).toBe(before.body.nowMs + 61_000);
    expect(emulator.nowMs()).toBe(after.body.nowMs);
    expect(await status(url, sessionId)).toBe(notFound.code);
  });

  test("is reset to its source by a reset", async () => {
    await askAdmin(url, "POST", "clock", { advanceMs: 61_000 });

    await askAdmin(url, "POST", "reset");

    expect(emulator.nowMs()).toBe(clock.now());
  });

  test("keeps its offset after a restart", async () => {
    const folder = mkdtempSync(join(tmpdir(), "agb-emulator-"));
    const options = { clock, statePath: join(folder, "state.json") };
    try {
      const first = await startEmulator(options);
      await first.advanceClock(3_600_000);
      const sessionId = await createId(first.url);
      await first.close();

      const second = await startEmulator(options);
      expect(second.nowMs()).toBe(clock.now() + 3_600_000);
      expect(second.sessions()).toMatchObject([{ sessionId, createdAtMs: second.nowMs() }]);
      await second.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("sessions", () => {
  test("are listed, newest first, with their labels and times", async () => {
    const older = await createId(url, { team: "a" });
    const newer = await createId(url, {}, { timeout: 60 });

    const { body } = await askAdmin(url, "GET", "sessions");

    expect(body).toMatchObject({
      count: 2,
      sessions: [
        { sessionId: newer, state: "RUNNING", labels: {}, releaseDueAtMs: clock.now() + 60_000 },
        { sessionId: older, state: "RUNNING", labels: { team: "a" }, imageId: "agb-code-space-1" },
      ],
    });
  });

  test("get new labels, whatever their names", async () => {
    const sessionId = await createId(url, { team: "a" });
    const labels = JSON.parse('{"__proto__":"own","":"empty","b":"ü"}');

    const answer = await askAdmin(url, "PUT", `sessions/${sessionId}/labels`, { labels });

    expect(answer).toMatchObject({ status: 200, text: JSON.stringify({ labels }) });
    expect(Object.entries(await labelsOf(url, sessionId))).toEqual(Object.entries(labels));
  });

  test("are released and gone immediately", async () => {
    const sessionId = await createId(url);

    expect((await askAdmin(url, "DELETE", `sessions/${sessionId}`)).status).toBe(200);

    expect(await listAll(url)).toEqual([]);
    expect((await askAdmin(url, "DELETE", `sessions/${sessionId}`)).body).toMatchObject(notFound);
    expect((await askAdmin(url, "PUT", `sessions/${sessionId}/labels`, { labels: {} })).body).toMatchObject(notFound);
  });
});

describe("requests", () => {
  test("are the last 200, newest first, without those of the console", async () => {
    for (let count = 0; count < 205; count += 1) {
      await list(url);
    }
    const sessionId = await createId(url);

    const { body } = await askAdmin(url, "GET", "requests");

    expect(body.requests).toHaveLength(200);
    expect(body.requests[0]).toMatchObject({ operation: "createSession", sessionId, atMs: clock.now() });
  });
});

describe("faults", () => {
  const rule = { operation: "ListSession", calls: 1, answer: { status: 503 } };

  test("can be added, listed, and removed one by one or all", async () => {
    const added = await askAdmin(url, "POST", "faults", rule);
    await askAdmin(url, "POST", "faults", { operation: "*", delayMs: 1 });
    expect((await list(url)).status).toBe(503);

    const told = await askAdmin(url, "GET", "faults");
    expect(told.body.faults).toMatchObject([{ ...rule, id: added.body.id, struck: 1, when: "before" }, { struck: 1 }]);

    expect((await askAdmin(url, "DELETE", `faults/${added.body.id}`)).status).toBe(200);
    expect((await askAdmin(url, "DELETE", `faults/${added.body.id}`)).body.code).toBe("Fault.NotFound");
    expect(emulator.faults()).toHaveLength(1);
    await askAdmin(url, "DELETE", "faults");
    expect(emulator.faults()).toEqual([]);
  });
});

test("a reset leaves no session", async () => {
  await createId(url);

  expect((await askAdmin(url, "POST", "reset")).status).toBe(200);

  expect(emulator.sessions()).toEqual([]);
});

test("the list of contexts is empty at first", async () => {
  expect((await askAdmin(url, "GET", "contexts")).body).toEqual({ contexts: [] });
});

test.each([
  ["POST", "clock", {}, "advanceMs: is required and must be a number of milliseconds"],
  ["POST", "clock", { advanceMs: -5 }, "advanceMs: must be more than 0"],
  ["POST", "clock", { advanceMs: 0 }, "advanceMs: must be more than 0"],
  ["POST", "clock", { advanceMs: "60" }, "advanceMs: is required and must be a number of milliseconds"],
  ["POST", "clock", { advanceMs: 1e300 }, "advanceMs"],
  ["POST", "clock", { advanceMs: 1, by: 2 }, "by"],
  ["POST", "clock", [], "body"],
  ["PUT", "sessions/session-a/labels", { labels: { a: 1 } }, "labels"],
  ["PUT", "sessions/session-a/labels", { labels: [] }, "labels"],
  ["PUT", "sessions/session-a/labels", {}, "labels"],
  ["POST", "faults", { operation: "listSession" }, "operation"],
  ["POST", "faults", {}, "operation: is required"],
  ["POST", "faults", { operation: "*", answer: { status: 99 } }, "answer.status: must be at least 200"],
  ["POST", "faults", { operation: "*", answer: {} }, "answer.status: is required and must be a whole number"],
  [
    "POST",
    "faults",
    { operation: "*", answer: "slow" },
    'answer: must be a reply with a status, "reset" or "truncate"',
  ],
  [
    "POST",
    "faults",
    { operation: "*", answer: { status: 500, headers: { a: 1 } } },
    "answer.headers.a: must be a string",
  ],
  ["POST", "faults", { operation: "*", answer: { status: 500, text: "" } }, 'answer: Unrecognized key: "text"'],
  ["POST", "faults", { operation: "*", calls: 0 }, "calls: must be at least 1"],
  ["POST", "faults", { operation: "*", calls: [1, 1.5] }, "calls.1: must be a whole number"],
  ["POST", "faults", { operation: "*", calls: "all" }, 'calls: must be a number, a list of numbers or "every"'],
  ["POST", "faults", { operation: "*", when: "during" }, "when: must be before or after"],
  ["POST", "faults", { operation: "*", delayMs: -1 }, "delayMs: must not be negative"],
  ["POST", "reset", { all: true }, "all"],
])("%s %s with %j is refused and names %s", async (method, path, body, field) => {
  const answer = await askAdmin(url, method, path, body);

  expect(answer.body).toMatchObject({ success: false, code: "InvalidRequest", httpStatusCode: 400 });
  expect(answer.body.message).toContain(field);
});

test("a fault rule that cannot be written as JSON is refused and not added", async () => {
  const depth = 200_000;
  const body = `{"operation":"*","answer":{"status":500,"body":${"[".repeat(depth)}${"]".repeat(depth)}}}`;

  const answer = await fetch(`${url}/_emulator/faults`, { method: "POST", body });

  expect(await answer.json()).toMatchObject({
    code: "InvalidRequest",
    message: "answer.body: must be a string or JSON",
  });
  expect(emulator.faults()).toEqual([]);
});

test.each([
  ["GET", "nowhere"],
  ["POST", "sessions"],
  ["GET", "../package.json"],
  ["GET", "%2e%2e/emulator.ts"],
  ["GET", "index.html"],
  ["GET", "sessions/a/labels"],
])("%s %s is unknown", async (method, path) => {
  expect((await askAdmin(url, method, path)).status).toBe(404);
});

test("a body over 1 MiB is refused", async () => {
  expect((await askAdmin(url, "POST", "clock", { filler: "x".repeat(1024 * 1024) })).status).toBe(413);
});

describe("access", () => {
  const foreign = ["https://evil.example", "null", "http://127.0.0.1:1"];

  test.each(foreign)("origin %s is refused and nothing happens", async (origin) => {
    const sessionId = await createId(url);

    for (const [method, path] of [
      ["POST", "reset"],
      ["DELETE", `sessions/${sessionId}`],
      ["GET", "sessions"],
      ["GET", ""],
    ] as const) {
      expect((await askAdmin(url, method, path, undefined, { origin })).body).toMatchObject({ code: "OriginRefused" });
    }

    expect(await status(url, sessionId)).toBe("RUNNING");
  });

  test("requests from the page's own origin are answered, without CORS headers for others", async () => {
    const answer = await askAdmin(url, "POST", "clock", { advanceMs: 1 }, { origin: url });

    expect(answer.status).toBe(200);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect(answer.headers).toMatchObject({
      "cross-origin-resource-policy": "same-origin",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
      "cache-control": "no-store",
    });
  });

  test.each(["evil.example", "127.0.0.1.evil.example"])("host %s is refused", async (host) => {
    expect((await askAdmin(url, "GET", "", undefined, { host })).status).toBe(421);
    expect((await askAdmin(url, "POST", "reset", undefined, { host, origin: `http://${host}` })).status).toBe(421);
  });

  describe("where keys are required", () => {
    let locked: Emulator;
    beforeAll(async () => {
      locked = await startEmulator({ apiKeys: ["the-key"] });
    });
    afterAll(() => locked.close());

    const basic = (password: string) => `Basic ${Buffer.from(`any:${password}`).toString("base64")}`;

    test.each<[string, Record<string, string>]>([
      ["nothing", {}],
      ["a wrong key", { authorization: "Bearer other" }],
      ["a wrong password", { authorization: basic("other") }],
      ["a wrong token", { "x-emulator-token": "x".repeat(40) }],
      ["an empty token", { "x-emulator-token": "" }],
    ])("%s is refused", async (_what, headers) => {
      for (const [method, path] of [
        ["GET", "sessions"],
        ["GET", "requests"],
        ["GET", "events"],
        ["POST", "reset"],
        ["DELETE", "faults"],
      ] as const) {
        const answer = await askAdmin(locked.url, method, path, undefined, headers);
        expect(answer).toMatchObject({ status: 401, body: { code: "NOT_LOGIN" } });
      }
    });

    test("the key, as token or password, and the page's token are accepted", async () => {
      for (const headers of [
        { authorization: "Bearer the-key" },
        { authorization: basic("the-key") },
        { "x-emulator-token": await pageToken(locked.url) },
      ]) {
        expect((await askAdmin(locked.url, "GET", "sessions", undefined, headers)).status).toBe(200);
        expect((await askAdmin(locked.url, "POST", "reset", undefined, headers)).status).toBe(200);
      }
    });

    test("every emulator has another token, and only the page has it", async () => {
      const token = await pageToken(locked.url);
      expect(token).toMatch(/^[a-z0-9]{40}$/);
      expect(await pageToken(url)).not.toBe(token);
      expect((await askAdmin(locked.url, "GET", "console.mjs")).text).not.toContain(token);
      expect(JSON.stringify(locked.requests())).not.toContain(token);
    });
  });
});

describe("events", () => {
  async function* events(stream: Response): AsyncGenerator<{ event: string; data: unknown }> {
    let text = "";
    for await (const chunk of stream.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      const parts = text.split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const [, event, data] = /^event: (.+)\ndata: (.+)$/.exec(part) ?? [];
        if (event !== undefined) {
          yield { event, data: JSON.parse(data as string) };
        }
      }
    }
  }

  test("send everything at first, then what changes, also by time alone, and end with the emulator", async () => {
    const other = await startEmulator({ clock });
    try {
      const stream = events(await fetch(`${other.url}/_emulator/events`));
      const next = async () => (await stream.next()).value as { event: string; data: unknown };

      expect([(await next()).event, await next(), (await next()).event, (await next()).event]).toEqual([
        "clock",
        { event: "sessions", data: { count: 0, sessions: [] } },
        "contexts",
        "requests",
      ]);
      const sessionId = await createId(other.url, {}, { timeout: 60 });
      expect(await next()).toMatchObject({ event: "sessions", data: { count: 1, sessions: [{ sessionId }] } });
      expect(await next()).toMatchObject({ event: "requests", data: { requests: [{ operation: "createSession" }] } });
      clock.advance(100_000);
      expect((await next()).event).toBe("clock");
      expect(await next()).toEqual({ event: "sessions", data: { count: 0, sessions: [] } });

      await other.close();
      expect((await stream.next()).done).toBe(true);
    } finally {
      await other.close();
    }
  });
});
