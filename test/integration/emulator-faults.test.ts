import { join } from "node:path";
import { type Emulator, type FaultRule, startEmulator } from "../../provider/emulator";
import { runBounded } from "../support/bounded-process";
import {
  ask,
  contextCall,
  create,
  createContext,
  createId,
  getLabels,
  idsOn,
  labelsOf,
  list,
  setLabels,
  syncItems,
} from "../support/emulator-requests";
import { repositoryRoot } from "../support/node-process";

let emulator: Emulator;
let url: string;

beforeAll(async () => {
  emulator = await startEmulator({ apiKeys: ["test-key"] });
  url = emulator.url;
});
beforeEach(() => emulator.reset());
afterAll(() => emulator.close());

function sendCreate(): Promise<Response> {
  return fetch(`${url}/mcp/createSession?imageId=agb-code-space-1`, {
    method: "POST",
    headers: { authorization: "Bearer test-key" },
  });
}

test("a status and headers replace the reply", async () => {
  emulator.addFault({ operation: "ListSession", answer: { status: 429, headers: { "Retry-After": "7" } } });

  const answer = await list(url);

  expect(answer.status).toBe(429);
  expect(answer.headers.get("retry-after")).toBe("7");
  expect(answer.body).toMatchObject({ success: false, httpStatusCode: 429, requestId: expect.any(String) });
});

test("a body can be any JSON", async () => {
  emulator.addFault({ operation: "ListSession", answer: { status: 200, body: { body: { Success: true } } } });

  expect((await list(url)).body).toEqual({ body: { Success: true } });
});

test("any number of requests can wait for latency without a warning from Node", async () => {
  const program = `
    const { startEmulator } = require(${JSON.stringify(join(repositoryRoot, "dist", "emulator"))});
    startEmulator({ latencyMs: 50 }).then(async ({ url, close }) => {
      await Promise.all(Array.from({ length: 20 }, () => fetch(url)));
      await close();
    });
  `;
  const bounds = { directory: repositoryRoot, environment: {}, timeoutMs: 60_000 };
  expect(await runBounded(process.execPath, ["-e", program], bounds)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});

test("a body can be a proxy's page", async () => {
  emulator.addFault({ operation: "*", answer: { status: 404, body: "<html>404 Not Found</html>" } });

  const answer = await sendCreate();

  expect(answer.status).toBe(404);
  expect(answer.headers.get("content-type")).toMatch(/^text\/html/);
  expect(await answer.text()).toBe("<html>404 Not Found</html>");
});

test("a fault before the effect prevents it, one after the effect does not", async () => {
  const rule = emulator.addFault({ operation: "createSession", answer: { status: 500 } });
  expect((await create(url)).status).toBe(500);
  expect(emulator.sessions()).toHaveLength(0);

  rule.remove();
  emulator.addFault({ operation: "createSession", when: "after", answer: { status: 500 } });
  expect((await create(url)).status).toBe(500);
  expect(emulator.sessions()).toHaveLength(1);
});

test("a fault after the effect also replaces the reply to a refused request", async () => {
  emulator.addFault({ operation: "GetLabel", when: "after", answer: { status: 502 } });

  expect((await getLabels(url, "session-never")).status).toBe(502);
});

test.each(["before", "after"] as const)("the connection is reset %s the effect", async (when) => {
  emulator.addFault({ operation: "createSession", when, answer: "reset" });

  await expect(sendCreate()).rejects.toThrow();

  expect(emulator.sessions()).toHaveLength(when === "after" ? 1 : 0);
  expect(emulator.requests()).toMatchObject([{ operation: "createSession", status: 0 }]);
});

test.each(["before", "after"] as const)("the body breaks off %s the effect", async (when) => {
  emulator.addFault({ operation: "createSession", when, answer: "truncate" });

  const answer = await sendCreate();

  expect(answer.status).toBe(200);
  await expect(answer.text()).rejects.toThrow();
  expect(emulator.sessions()).toHaveLength(when === "after" ? 1 : 0);
});

test.each<[FaultRule["calls"], number[]]>([
  [undefined, [503, 503, 503, 503]],
  ["every", [503, 503, 503, 503]],
  [2, [200, 503, 200, 200]],
  [
    [1, 2, 4],
    [503, 503, 200, 503],
  ],
])("calls %j strikes these calls of the operation only", async (calls, statuses) => {
  const fault = emulator.addFault({
    operation: "ListSession",
    ...(calls !== undefined && { calls }),
    answer: { status: 503 },
  });

  const seen: number[] = [];
  for (let call = 0; call < 4; call += 1) {
    await createId(url);
    seen.push((await list(url)).status);
  }

  expect(seen).toEqual(statuses);
  expect(fault.struck).toBe(statuses.filter((status) => status === 503).length);
});

test("a call with a wrong key is refused and not counted", async () => {
  const fault = emulator.addFault({ operation: "ListSession", calls: 1, answer: { status: 503 } });

  expect((await ask(url, "GET", "/sdk/ListSession", { key: "wrong" })).body.code).toBe("NOT_LOGIN");
  expect(fault.struck).toBe(0);
  expect((await list(url)).status).toBe(503);
});

test("a delay without an answer gives the real reply", async () => {
  const sessionId = await createId(url, { team: "a" });
  const fault = emulator.addFault({ operation: "GetLabel", delayMs: 1 });

  expect(await labelsOf(url, sessionId)).toEqual({ team: "a" });
  expect(fault.struck).toBe(1);
});

test("an effect can be seen while its reply is held back", async () => {
  const sessionId = await createId(url, { team: "a" });
  emulator.addFault({ operation: "SetLabel", when: "after", delayMs: 60_000 });
  const leaving = new AbortController();
  const held = fetch(`${url}/sdk/SetLabel?sessionId=${sessionId}&Labels=%7B%22team%22:%22b%22%7D`, {
    method: "POST",
    headers: { authorization: "Bearer test-key" },
    signal: leaving.signal,
  });
  held.catch(() => {});

  while ((await labelsOf(url, sessionId))["team"] !== "b") {
    await new Promise((resolve) => setImmediate(resolve));
  }
  leaving.abort();

  await expect(held).rejects.toThrow();
});

test("closing does not wait for a held reply", async () => {
  const slow = await startEmulator({ latencyMs: 3_600_000 });
  const held = list(slow.url);
  held.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 20));

  await slow.close();

  await expect(held).rejects.toThrow();
});

test("rules can be cleared, and a reset restores those of the options", async () => {
  const faulty = await startEmulator({ faults: [{ operation: "ListSession", answer: { status: 500 } }] });
  try {
    expect((await list(faulty.url)).status).toBe(500);
    faulty.clearFaults();
    expect((await list(faulty.url)).status).toBe(200);
    await faulty.reset();
    expect((await list(faulty.url)).status).toBe(500);
  } finally {
    await faulty.close();
  }
});

test("the first rule with an answer decides", async () => {
  emulator.addFault({ operation: "*", delayMs: 1 });
  emulator.addFault({ operation: "*", answer: { status: 502 } });
  emulator.addFault({ operation: "ListSession", answer: { status: 503 } });

  expect((await list(url)).status).toBe(502);
});

describe("the synchronization of a context", () => {
  const openMounted = async () => {
    const contextId = await createContext(url, "data");
    const persistenceDataList = [{ contextId, path: "/data" }];
    return { contextId, sessionId: await createId(url, {}, { persistenceDataList }) };
  };

  test.each([
    ["contextDownload", "before"],
    ["contextDownload", "after"],
    ["contextUpload", "before"],
    ["contextUpload", "after"],
  ] as const)("fails with the message of a rule for %s, %s its effect", async (operation, when) => {
    const fault = emulator.addFault({ operation, when, calls: 1, errorMessage: "disk full" });
    const { sessionId } = await openMounted();
    expect((await contextCall(url, "SyncContext", { sessionId })).body.success).toBe(true);

    const items = await syncItems(url, sessionId);

    const failed = operation === "contextDownload" ? "download" : "upload";
    expect(items).toEqual(
      ["download", "upload"].map((taskType) =>
        expect.objectContaining(
          taskType === failed
            ? { taskType, status: "Failed", errorMessage: "disk full" }
            : { taskType, status: "Success", errorMessage: "" },
        ),
      ),
    );
    expect(fault.struck).toBe(1);
    await contextCall(url, "SyncContext", { sessionId, mode: failed });
    expect(await syncItems(url, sessionId, { taskType: failed })).toMatchObject([{ status: "Success" }]);
  });

  test("is reported as running as long as a rule says, by the clock", async () => {
    emulator.addFault({ operation: "contextDownload", delayMs: 60_000 });
    const { sessionId } = await openMounted();

    expect(await syncItems(url, sessionId)).toMatchObject([{ status: "Running", finishTime: 0 }]);
    await emulator.advanceClock(60_000);
    expect(await syncItems(url, sessionId)).toMatchObject([{ status: "Success" }]);
  });

  test("is not disturbed by a rule for all operations", async () => {
    const fault = emulator.addFault({ operation: "*", delayMs: 1 });
    const { sessionId } = await openMounted();

    expect(await syncItems(url, sessionId)).toMatchObject([{ status: "Success" }]);
    expect(fault.struck).toBe(3);
  });
});

test.each([
  ["answer", { operation: "contextUpload", answer: { status: 503 } }],
  ["answer", { operation: "contextUpload", answer: "reset" }],
  ["errorMessage", { operation: "SyncContext", errorMessage: "no" }],
  ["errorMessage", { operation: "contextUpload", errorMessage: "" }],
  ["operation", { operation: "listSession" }],
  ["calls", { operation: "*", calls: 0 }],
  ["when", { operation: "*", when: "during" }],
  ["answer", { operation: "*", answer: { status: 99 } }],
  ["answer", { operation: "*", answer: { status: 429, headers: { "retry-after": "1\r\n" } } }],
  ...["Trailer", "transfer-encoding", "Content-Length"].map((name): [string, unknown] => [
    "answer.headers",
    { operation: "*", answer: { status: 503, headers: { [name]: "1" } } },
  ]),
  ["answer", { operation: "*", answer: "explode" }],
  ["times", { operation: "*", times: 2 }],
])("a rule with a bad %s is refused", (field, rule) => {
  expect(() => emulator.addFault(rule as FaultRule)).toThrow(field);
});

test("a reply that cannot be sent ends its connection only", async () => {
  const fault = emulator.addFault({ operation: "ListSession", calls: 1, answer: { status: 503, headers: { a: "b" } } });
  // A careless program may do this. Rules are checked only when they are added.
  const { headers } = fault.rule.answer as { headers: Record<string, string> };
  headers["trailer"] = "x";

  await expect(list(url)).rejects.toThrow("fetch failed");
  expect((await list(url)).status).toBe(200);
});

test("an ordinary emulator has no faults", async () => {
  const sessionId = await createId(url);

  expect((await setLabels(url, sessionId, {})).status).toBe(200);
  expect(idsOn(await list(url))).toEqual([sessionId]);
});
