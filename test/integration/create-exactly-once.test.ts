import type { ServerResponse } from "node:http";
import { AgbApiError } from "../../provider/api/errors";
import type { SessionRequest } from "../../provider/api/sessions";
import type { Emulator, EmulatorOptions, FaultRule } from "../../provider/emulator";
import { createExactlyOnce } from "../../provider/lifecycle/create-once";
import { AgbUncertainCreateError } from "../../provider/lifecycle/errors";
import { newCreateToken } from "../../provider/lifecycle/ownership";
import { createOwnedSession } from "../../provider/lifecycle/session";
import { openClient } from "../support/agb-client";
import { startTestEmulator } from "../support/agb-emulator";
import { openTestRuntime } from "../support/create-runtime";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { sendJson, sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";

withoutRetryDelay();

const token = newCreateToken(new Date("2026-11-22T16:47:26Z"));
const request: SessionRequest = {
  imageId: "agb-code-space-1",
  labels: { team: "web", "pulumi-create": token },
};

// Searches move the clock by minutes, after which idle sessions would be gone.
const longLives = { defaultIdleTimeoutSeconds: 1_000_000, maximumLifetimeSeconds: 1_000_000 };

/** Creates one session at an emulator with these faults, by a clock that both share. */
async function createWith(faults: FaultRule[], options: EmulatorOptions = {}, timeoutMs = 10_000) {
  const clock = new FakeClock();
  const emulator = await startTestEmulator({ clock, faults, ...longLives, ...options });
  const client = openClient(emulator.url, { timeoutMs });
  const runtime = openTestRuntime(clock);
  const outcome = await createExactlyOnce(client, request, runtime).then(
    (session) => ({ session, error: undefined }),
    (error: Error) => ({ session: undefined, error }),
  );
  const elapsedMs = clock.elapsedMs();
  return { ...outcome, clock, elapsedMs, emulator, runtime, counts: emulator.requestCounts() };
}

const idsOf = (emulator: Emulator) => emulator.sessions().map(({ sessionId }) => sessionId);

test("a create that goes well takes one call", async () => {
  const { session, counts, emulator } = await createWith([]);
  expect(counts).toEqual({ createSession: 1 });
  expect(emulator.sessions()).toEqual([expect.objectContaining({ ...session, labels: request.labels })]);
});

const lostReplies: [string, Pick<FaultRule, "answer">][] = [
  ["the connection is reset", { answer: "reset" }],
  ["the reply breaks off", { answer: "truncate" }],
  ["a gateway answers 502", { answer: { status: 502, body: "<h1>502 Bad Gateway</h1>" } }],
  ["AGB answers 500", { answer: { status: 500 } }],
  ["a page comes with a good status", { answer: { status: 200, body: "<html>welcome</html>" } }],
  ["the reply names no session", { answer: { status: 200, body: { success: true, code: "ok" } } }],
];

/** AGB may still be at work on the call when this comes. */
const gatewayTimeout: (typeof lostReplies)[number] = ["a gateway answers 504", { answer: { status: 504 } }];

test.each(lostReplies)("when %s before the session was made, it is looked for and then made", async (_, fault) => {
  const { session, elapsedMs, emulator } = await createWith([
    { operation: "createSession", calls: 1, when: "before", ...fault },
  ]);
  expect(session).toBeDefined();
  expect(idsOf(emulator)).toEqual([session?.sessionId]);
  expect(elapsedMs).toBeGreaterThanOrEqual(60_000);
});

describe.each([...lostReplies, gatewayTimeout])("when %s", (_, fault) => {
  test("after the session was made, it is found and no second one is made", async () => {
    const { session, counts, emulator } = await createWith([
      { operation: "createSession", calls: 1, when: "after", ...fault },
    ]);
    const [made, ...others] = emulator.sessions();
    expect(others).toEqual([]);
    expect(made).toBeDefined();
    expect(session).toEqual({
      sessionId: made?.sessionId,
      appInstanceId: made?.appInstanceId,
      resourceId: made?.resourceId,
    });
    expect(counts["createSession"]).toBe(1);
  });

  test.each([5_000, 9_500, 30_000, 59_000])(
    "and AGB needs %i ms until a label can be listed, no second session is made",
    async (labelIndexDelayMs) => {
      const { session, counts, emulator } = await createWith(
        [{ operation: "createSession", when: "after", ...fault }],
        { labelIndexDelayMs },
      );
      expect(session).toBeDefined();
      expect(idsOf(emulator)).toEqual([session?.sessionId]);
      expect(counts["createSession"]).toBe(1);
    },
  );

  test.each([
    ["the list fails", { operation: "ListSession", answer: { status: 503 } }],
    ["the labels cannot be read", { operation: "GetLabel", answer: { status: 500 } }],
    ["the labels are not there yet", { operation: "GetLabel", answer: { status: 200, body: { success: true } } }],
    ["the labels are empty", { operation: "GetLabel", answer: { status: 200, body: { success: true, data: {} } } }],
    [
      "AGB says of the labels that there is no such session",
      { operation: "GetLabel", answer: { status: 400, body: { success: false, code: "InvalidMcpSession.NotFound" } } },
    ],
    ["the list breaks off", { operation: "ListSession", answer: "truncate" }],
    ["a page comes instead of the list", { operation: "ListSession", answer: { status: 200, body: "<html>" } }],
  ] as [string, Pick<FaultRule, "operation" | "answer">][])(
    "and %s for a while, no second session is made",
    async (_, passing) => {
      const calls = Array.from({ length: 20 }, (_, index) => index + 1);
      const { session, counts, emulator } = await createWith([
        { operation: "createSession", calls: 1, when: "after", ...fault },
        { calls, ...passing },
      ]);
      expect(session).toBeDefined();
      expect(idsOf(emulator)).toEqual([session?.sessionId]);
      expect(counts["createSession"]).toBe(1);
    },
  );

  test("and the list fails as well, the create is uncertain: the error holds the token, and nothing more is made", async () => {
    const { error, counts, emulator } = await createWith([
      { operation: "createSession", when: "after", ...fault },
      { operation: "ListSession", answer: { status: 503 } },
    ]);
    expect(error).toBeInstanceOf(AgbUncertainCreateError);
    expect(error).toMatchObject({ createToken: token, message: expect.stringContaining(`pulumi-create=${token}`) });
    expect(emulator.sessions()).toHaveLength(1);
    expect(counts["createSession"]).toBe(1);
  });
});

describe("a create that AGB may still be at work on and that is not found", () => {
  test.each([
    ["a gateway answers 504", { answer: { status: 504 } }, 10_000],
    ["the time is over", { delayMs: 5_000 }, 200],
  ])("is uncertain, and nothing more is made: %s", async (_, fault, timeoutMs) => {
    const { error, emulator, elapsedMs } = await createWith(
      [{ operation: "createSession", calls: 1, when: "before", ...fault }],
      {},
      timeoutMs,
    );
    expect(error).toBeInstanceOf(AgbUncertainCreateError);
    expect(error?.message).toContain("AGB may still be working on the call");
    expect(emulator.sessions()).toEqual([]);
    expect(elapsedMs).toBeGreaterThanOrEqual(60_000);
  });
});

describe("a create with a limit of its own", () => {
  async function createWithin(limitMs: number, faults: FaultRule[]) {
    const clock = new FakeClock();
    const emulator = await startTestEmulator({ clock, faults });
    const client = openClient(emulator.url);
    const runtime = openTestRuntime(clock);
    const outcome = await createExactlyOnce(client.within(limitMs), request, runtime, client).then(
      (session) => ({ session, error: undefined }),
      (error: Error) => ({ session: undefined, error }),
    );
    return { ...outcome, clock, emulator };
  }

  test("that is over when the session is made still finds it, so that it is not lost", async () => {
    const late = { operation: "createSession", calls: 1, when: "after", delayMs: 5_000 } as const;
    const { session, emulator } = await createWithin(150, [late]);
    expect(session).toBeDefined();
    expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual([session?.sessionId]);
  });

  test("does not wait longer than that for a throttling AGB", async () => {
    const throttled = { status: 429, headers: { "retry-after": "20" } };
    const { error, clock } = await createWithin(5_000, [{ operation: "createSession", answer: throttled }]);
    expect(error).toMatchObject({ status: 429 });
    expect(clock.sleeps).toEqual([]);
  });

  test("that is over before the call has made nothing and looks for nothing", async () => {
    const { error, emulator } = await createWithin(0, []);
    expect(error).toMatchObject({ name: "AgbTimeoutError", timeoutMs: 0 });
    expect(emulator.requestCounts()).toEqual({});
  });
});

test("a key that a gateway refuses in its own words is refused, not uncertain", async () => {
  const answer = { status: 401, body: { message: "Unauthorized" } };
  const { error, counts } = await createWith([{ operation: "createSession", answer }]);
  expect(error).toMatchObject({ name: "AgbAuthenticationError" });
  expect(counts).toEqual({ createSession: 1 });
});

test("a session of an earlier try that shows up only after the next one is released: one is enough", async () => {
  let creates = 0;
  const server = await startScriptedServer(({ path }, response) => {
    if (path.endsWith("createSession")) {
      creates += 1;
      creates === 1 ? sendJson(response, {}, 500) : sendSuccess(response, { data: { sessionId: "session-2" } });
    } else if (path.endsWith("ListSession")) {
      const listed = creates === 1 ? [] : ["session-1", "session-2"];
      sendSuccess(response, { data: listed.map((sessionId) => ({ sessionId })) });
    } else {
      sendSuccess(response, { data: { labels: JSON.stringify(request.labels) } });
    }
  });
  const runtime = openTestRuntime();
  const made = await createExactlyOnce(openClient(server.url), request, runtime);
  expect(made.sessionId).toBe("session-2");
  await runtime.twins.finish();
  const releases = server.requests.filter(({ path }) => path.endsWith("releaseSessionAsync"));
  expect(new Set(releases.map(({ body }) => body))).toEqual(new Set(['{"sessionId":"session-1"}']));
});

test("a create whose reply comes too late is found", async () => {
  const { session, emulator } = await createWith(
    [{ operation: "createSession", calls: 1, when: "after", delayMs: 5_000 }],
    {},
    200,
  );
  expect(session).toBeDefined();
  expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual([session?.sessionId]);
});

test("a create that keeps failing is uncertain after three tries, with AGB's reason", async () => {
  const { error, emulator, counts } = await createWith([{ operation: "createSession", answer: { status: 503 } }]);
  expect(error).toBeInstanceOf(AgbUncertainCreateError);
  expect(error).toMatchObject({ createToken: token, cause: { name: "AgbApiError", status: 503 } });
  expect(emulator.sessions()).toEqual([]);
  expect(counts["createSession"]).toBe(3);
});

test("a key that is refused while a lost create is looked for leaves it uncertain", async () => {
  const { error, counts } = await createWith([
    { operation: "createSession", when: "after", answer: "reset" },
    { operation: "ListSession", answer: { status: 401 } },
  ]);
  expect(error).toBeInstanceOf(AgbUncertainCreateError);
  expect(counts["createSession"]).toBe(1);
});

test.each([
  ["refuses for the quota", { status: 200, body: { success: true, code: "ok", data: { success: false } } }],
  ["refuses with HTTP 400", { status: 400 }],
  ["refuses the key", { status: 401 }],
])("a create that AGB %s is neither looked for nor made again", async (_, answer) => {
  const { error, counts } = await createWith([{ operation: "createSession", answer }]);
  expect(error).toBeInstanceOf(AgbApiError);
  expect(counts).toEqual({ createSession: 1 });
});

describe("a create that AGB throttles", () => {
  test("waits as long as AGB asks and is then made, without looking for it", async () => {
    const { session, clock, counts } = await createWith([
      { operation: "createSession", calls: 1, answer: { status: 429, headers: { "retry-after": "20" } } },
    ]);
    expect(session).toBeDefined();
    expect(clock.sleeps).toEqual([20_000]);
    expect(counts).toEqual({ createSession: 2 });
  });

  test("for longer than anyone waits fails at once", async () => {
    const { error, clock } = await createWith([
      { operation: "createSession", answer: { status: 429, headers: { "retry-after": "86400" } } },
    ]);
    expect(error).toMatchObject({ status: 429 });
    expect(clock.sleeps).toEqual([]);
  });
});

describe("a session that was found after its reply was lost", () => {
  test.each([
    ["cannot be read because AGB fails", { status: 500 }],
    ["cannot be read because a gateway answers", { status: 502, body: "<h1>502</h1>" }],
    ["is described in a form nobody knows", { status: 200, body: { success: true, data: 5 } }],
    ["cannot be read because the connection breaks", "reset" as const],
  ])("and then %s keeps its id: losing it would leave it running unseen", async (_, answer) => {
    const { session, emulator } = await createWith([
      { operation: "createSession", calls: 1, when: "after", answer: "reset" },
      { operation: "getSession", answer },
    ]);
    expect(session).toEqual({ sessionId: emulator.sessions()[0]?.sessionId });
  });
});

describe("a failure that names a session all the same", () => {
  const named = (response: ServerResponse) =>
    sendSuccess(response, { data: { success: false, errMsg: "start failed", sessionId: "session-9" } });

  test("leads to that session where it carries the create label", async () => {
    const server = await startScriptedServer(({ path }, response) => {
      if (path.endsWith("createSession")) {
        named(response);
      } else if (path.endsWith("ListSession")) {
        sendSuccess(response, { data: [{ sessionId: "session-9", sessionStatus: "RUNNING" }] });
      } else if (path.endsWith("GetLabel")) {
        sendSuccess(response, { data: { labels: JSON.stringify(request.labels) } });
      } else {
        sendSuccess(response, { data: { sessionId: "session-9", appInstanceId: "ai-9" } });
      }
    });
    expect(await createExactlyOnce(openClient(server.url), request, openTestRuntime())).toMatchObject({
      sessionId: "session-9",
    });
  });

  test.each([200, 500])(
    "with HTTP %i is uncertain and names that session where it cannot be found, and no other one is made",
    async (status) => {
      const server = await startScriptedServer(({ path }, response) => {
        if (path.endsWith("createSession")) {
          sendJson(response, { success: true, data: { success: false, sessionId: "session-9" } }, status);
        } else {
          sendSuccess(response, { data: [] });
        }
      });
      await expect(createExactlyOnce(openClient(server.url), request, openTestRuntime())).rejects.toMatchObject({
        name: "AgbUncertainCreateError",
        message: expect.stringContaining("AGB named session session-9"),
      });
      expect(server.operations().filter((operation) => operation === "createSession")).toHaveLength(1);
    },
  );
});

test("a list that does not filter never makes someone else's session ours", async () => {
  const server = await startScriptedServer(({ path }, response) => {
    if (path.endsWith("createSession")) {
      sendJson(response, { success: false }, 500);
    } else if (path.endsWith("ListSession")) {
      sendSuccess(response, { data: [{ sessionId: "session-of-another", sessionStatus: "RUNNING" }] });
    } else if (path.endsWith("GetLabel")) {
      sendSuccess(response, { data: { labels: '{"team":"another"}' } });
    } else {
      sendSuccess(response, { data: { sessionId: "session-of-another" } });
    }
  });
  await expect(createExactlyOnce(openClient(server.url), request, openTestRuntime())).rejects.toBeInstanceOf(
    AgbUncertainCreateError,
  );
});

test("a listed session whose labels cannot be read does not hide the one that was made", async () => {
  const server = await startScriptedServer(({ path, query }, response) => {
    if (path.endsWith("createSession")) {
      sendJson(response, { success: false }, 500);
    } else if (path.endsWith("ListSession")) {
      sendSuccess(response, { data: [{ sessionId: "session-of-another" }, { sessionId: "session-1" }] });
    } else if (path.endsWith("GetLabel") && query["sessionId"] !== "session-1") {
      sendJson(response, { success: false }, 500);
    } else if (path.endsWith("GetLabel")) {
      sendSuccess(response, { data: { labels: JSON.stringify(request.labels) } });
    } else {
      sendSuccess(response, { data: { sessionId: "session-1" } });
    }
  });
  const made = await createExactlyOnce(openClient(server.url), request, openTestRuntime());
  expect(made.sessionId).toBe("session-1");
  expect(server.operations().filter((operation) => operation === "createSession")).toHaveLength(1);
});

test("a session that is listed but released meanwhile is made again", async () => {
  let creates = 0;
  const server = await startScriptedServer(({ path }, response) => {
    if (path.endsWith("createSession")) {
      creates += 1;
      if (creates === 1) {
        sendJson(response, { success: false }, 500);
      } else {
        sendSuccess(response, { data: { sessionId: "session-2" } });
      }
    } else if (path.endsWith("ListSession")) {
      sendSuccess(response, { data: [{ sessionId: "session-1", sessionStatus: "DELETING" }] });
    } else {
      sendRefusal(response, "InvalidMcpSession.NotFound");
    }
  });
  expect(await createExactlyOnce(openClient(server.url), request, openTestRuntime())).toMatchObject({
    sessionId: "session-2",
  });
});

test("a create without a create label is refused before anything is made", async () => {
  const emulator = await startTestEmulator();
  const failure = createExactlyOnce(openClient(emulator.url), { ...request, labels: {} }, openTestRuntime());
  await expect(failure).rejects.toThrow("the label pulumi-create is missing");
  expect(emulator.requestCounts()).toEqual({});
});

test("many creates side by side at an AGB where every second reply is lost make one session each", async () => {
  const clock = new FakeClock();
  const lost = Array.from({ length: 20 }, (_, index) => 2 * index + 1);
  const emulator = await startTestEmulator({
    clock,
    faults: [
      { operation: "createSession", calls: lost, when: "after", answer: "reset" },
      { operation: "ListSession", calls: lost, answer: { status: 503 } },
    ],
  });
  const client = openClient(emulator.url);
  const labels = { team: "web" };
  const runtime = openTestRuntime(clock);
  const made = await Promise.all(
    Array.from({ length: 20 }, () => createOwnedSession(client, { imageId: "agb-code-space-1", labels }, runtime)),
  );
  const ids = made.map(({ sessionId }) => sessionId).sort();
  expect(new Set(ids).size).toBe(20);
  expect(
    emulator
      .sessions()
      .map(({ sessionId }) => sessionId)
      .sort(),
  ).toEqual(ids);
  for (const session of emulator.sessions()) {
    const { labels: known } = made.find(({ sessionId }) => sessionId === session.sessionId) ?? {};
    expect(session.labels).toEqual(known);
  }
});
