import fc from "fast-check";
import { createSession } from "../../provider/api/sessions";
import type { EmulatorOptions, FaultRule } from "../../provider/emulator";
import { createExactlyOnce } from "../../provider/lifecycle/create-once";
import { AgbRunEndedError, AgbUncertainCreateError } from "../../provider/lifecycle/errors";
import { newCreateToken } from "../../provider/lifecycle/ownership";
import { openClient } from "../support/agb-client";
import { startTestEmulator } from "../support/agb-emulator";
import { openTestRuntime } from "../support/create-runtime";
import { FakeClock } from "../support/fake-clock";
import { longLives } from "../support/faulty-create";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts } from "../support/resource-hosts";
import { deadAddress, sendSuccess, startScriptedServer } from "../support/scripted-server";
import { failureOf, openStack } from "../support/session-stack";

// The search for the session of a failed attempt does not find it in time, so a later attempt creates another one.

jest.setTimeout(120_000);
withoutRetryDelay();

const token = newCreateToken(new Date("2026-11-22T16:47:26Z"));
const request = { imageId: "agb-code-space-1", labels: { team: "web", "pulumi-create": token } };

/** An emulator and the runtime of its creates. */
async function openWorld(faults: FaultRule[], options: EmulatorOptions = {}) {
  const clock = new FakeClock();
  const emulator = await startTestEmulator({ clock, faults, ...longLives, ...options });
  const client = openClient(emulator.url);
  const runtime = openTestRuntime(clock);
  return {
    clock,
    emulator,
    client,
    runtime,
    create: (within = client) =>
      createExactlyOnce(within, request, runtime, client).then(
        (session) => ({ session, error: undefined }),
        (error: Error) => ({ session: undefined, error }),
      ),
    running: () => emulator.sessions().flatMap(({ sessionId, state }) => (state === "RUNNING" ? [sessionId] : [])),
  };
}

const lostAfterEffect = (calls: FaultRule["calls"] = "every"): FaultRule => ({
  operation: "createSession",
  calls: calls ?? "every",
  when: "after",
  answer: { status: 500 },
});

test("a session that is listed only after the search is released then, and the next one is kept", async () => {
  const { create, runtime, running, emulator } = await openWorld([lostAfterEffect(1)], { labelIndexDelayMs: 90_000 });
  const { session } = await create();
  expect(emulator.requestCounts()["createSession"]).toBe(2);
  await runtime.twins.finish();
  expect(running()).toEqual([session?.sessionId]);
});

test("the release of such a session is retried when it fails", async () => {
  const { create, runtime, running } = await openWorld(
    [lostAfterEffect(1), { operation: "releaseSessionAsync", calls: [1, 2, 3, 4, 5, 6, 7], answer: { status: 503 } }],
    { labelIndexDelayMs: 90_000 },
  );
  const { session } = await create();
  await runtime.twins.finish();
  expect(running()).toEqual([session?.sessionId]);
});

test("the last look for such a session is at the end of the run", async () => {
  const { create, runtime, running, clock } = await openWorld([lostAfterEffect(1)], { labelIndexDelayMs: 90_000 });
  const sleep = clock.sleep.bind(clock);
  let endRun: () => void = () => undefined;
  const runEnds = new Promise<void>((resolve) => {
    endRun = resolve;
  });
  jest.spyOn(clock, "sleep").mockImplementation(async (milliseconds) => {
    // The watch sleeps through the rest of the run.
    await (clock.elapsedMs() > 60_000 ? runEnds : sleep(milliseconds));
  });
  const { session } = await create();
  expect(running()).toHaveLength(2);
  clock.advance(90_000);
  const watchEnded = runtime.endRun();
  endRun();
  await watchEnded;
  expect(running()).toEqual([session?.sessionId]);
});

test("a create whose attempts were all lost names the label, and its sessions are released when they are found", async () => {
  const { create, runtime, running, emulator } = await openWorld([lostAfterEffect()], { labelIndexDelayMs: 200_000 });
  const { error } = await create();
  expect(error).toBeInstanceOf(AgbUncertainCreateError);
  expect(error?.message).toContain(`pulumi-create=${token}`);
  expect(emulator.requestCounts()["createSession"]).toBe(3);
  await runtime.twins.finish();
  expect(running()).toEqual([]);
});

test("two sessions of one create that are found together are one result and one release", async () => {
  const { create, runtime, running } = await openWorld([lostAfterEffect([1, 2])], { labelIndexDelayMs: 65_000 });
  const { session } = await create();
  await runtime.twins.finish();
  expect(running()).toEqual([session?.sessionId]);
});

test("two sessions of one request, which a proxy sent twice, are one result and one release", async () => {
  // The copy of the request reaches AGB first; the reply to the other one is lost.
  const { create, runtime, running, client, emulator } = await openWorld([lostAfterEffect(2)]);
  await createSession(client, request);
  const { session } = await create();
  expect(emulator.requestCounts()["createSession"]).toBe(2);
  await runtime.twins.finish();
  expect(running()).toEqual([session?.sessionId]);
});

test("a refusal after an attempt that may have worked does not say that nothing was created", async () => {
  const quota = {
    status: 200,
    body: { success: true, code: "ok", data: { success: false, errMsg: "quota exceeded" } },
  };
  const { create, running } = await openWorld(
    [lostAfterEffect(1), { operation: "createSession", calls: 2, answer: quota }],
    { labelIndexDelayMs: 200_000 },
  );
  const { error } = await create();
  expect(running()).toHaveLength(1);
  expect(error).toBeInstanceOf(AgbUncertainCreateError);
  expect(error?.message).toContain(`pulumi-create=${token}`);
  expect(error?.message).toContain("HTTP 500");
  expect(error?.message).toContain("the last attempt failed: AGB refused createSession: quota exceeded");
});

test("a session of an earlier attempt that uses up the quota is found, so that the create does not fail", async () => {
  const { create, running } = await openWorld([lostAfterEffect(1)], { labelIndexDelayMs: 90_000, maximumSessions: 1 });
  const { session } = await create();
  expect(running()).toEqual([session?.sessionId]);
});

test("a lag that one create has seen makes the next search long enough", async () => {
  const { create, emulator, running, runtime } = await openWorld([lostAfterEffect(1)], { labelIndexDelayMs: 100_000 });
  runtime.lag.note(50_000);
  const { session } = await create();
  expect(running()).toEqual([session?.sessionId]);
  expect(emulator.requestCounts()["createSession"]).toBe(1);
});

test("a create learns the lag from the session that it finds", async () => {
  const { create, runtime } = await openWorld([lostAfterEffect(1)], { labelIndexDelayMs: 40_000 });
  await create();
  expect(runtime.lag.searchMs()).toBeGreaterThanOrEqual(160_000);
});

test("a limit that is shorter than the search leaves the create uncertain, and no second session is created", async () => {
  const { create, client, emulator } = await openWorld([
    { operation: "createSession", when: "before", answer: { status: 500 } },
  ]);
  const { error } = await create(client.within(20_000));
  expect(error).toBeInstanceOf(AgbUncertainCreateError);
  expect(error?.message).toContain("the time limit of the create ended the search for the session early");
  expect(emulator.requestCounts()["createSession"]).toBe(1);
});

describe.each(hosts)("served by the %s host, the user reads", (host) => {
  beforeEach(() => {
    jest.spyOn(console, "error").mockImplementation();
  });

  test.each([
    ["HTTP 500 each time", [lostAfterEffect()]],
    [
      "HTTP 500 and then a refusal",
      [lostAfterEffect(1), { operation: "createSession", calls: 2, answer: { status: 400 } }],
    ],
  ] as [string, FaultRule[]][])("the label and not that nothing was made after %s", async (_, faults) => {
    const { stack, emulator } = await openStack({ host, faults, labelIndexDelayMs: 1_000_000, ...longLives });
    const { message } = await failureOf(stack.create());
    expect(message).not.toContain("Nothing was created");
    for (const { labels } of emulator.sessions()) {
      expect(message).toContain(`pulumi-create=${labels["pulumi-create"]}`);
    }
    expect(emulator.sessions().length).toBeGreaterThan(0);
  });

  test("that nothing was made if AGB itself refused", async () => {
    const { stack, emulator } = await openStack({
      host,
      faults: [{ operation: "createSession", answer: { status: 400 } }],
    });
    const { message } = await failureOf(stack.create());
    expect(message).toContain("Nothing was created.");
    expect(emulator.sessions()).toEqual([]);
  });

  test("that the create waits for a search", async () => {
    const { stack } = await openStack({ host, faults: [lostAfterEffect(1)], ...longLives });
    await stack.create();
    expect(console.error).toHaveBeenCalledWith(
      expect.stringMatching(
        /^agb: createSession failed, but it may have created a session: .*HTTP 500.*\. Searching for that session for up to 60 s, /,
      ),
    );
  });
});

describe("when the run has ended", () => {
  test("no create is sent", async () => {
    const { create, runtime, emulator } = await openWorld([]);
    await runtime.endRun();
    expect((await create()).error).toBeInstanceOf(AgbRunEndedError);
    expect(emulator.requestCounts()).toEqual({});
  });

  test("a create that waits for its next attempt sends none", async () => {
    const throttled = { status: 429, headers: { "retry-after": "20" } };
    const { create, runtime, emulator, clock } = await openWorld([{ operation: "createSession", answer: throttled }]);
    jest.spyOn(clock, "sleep").mockImplementation(() => runtime.endRun());
    expect((await create()).error).toBeInstanceOf(AgbRunEndedError);
    expect(emulator.requestCounts()).toEqual({ createSession: 1 });
  });

  test("a search continues, so that a session is found and can be released, and no second one is created", async () => {
    const { create, runtime, emulator, clock } = await openWorld([lostAfterEffect(1)], { labelIndexDelayMs: 10_000 });
    const sleep = clock.sleep.bind(clock);
    jest.spyOn(clock, "sleep").mockImplementation(async (milliseconds) => {
      void runtime.endRun();
      await sleep(milliseconds);
    });
    const { session } = await create();
    expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual([session?.sessionId]);
    expect(emulator.requestCounts()["createSession"]).toBe(1);
  });

  test("creates that wait for a free connection are not sent", async () => {
    const end = new AbortController();
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let arrived = 0;
    const server = await startScriptedServer(async (_request, response) => {
      arrived += 1;
      await answered;
      sendSuccess(response, { data: { sessionId: "session-1" } });
    });
    const client = openClient(server.url);
    const runtime = { ...openTestRuntime(), ended: end.signal };
    const creates = Array.from({ length: 40 }, () => createExactlyOnce(client, request, runtime));
    const outcomes = Promise.allSettled(creates);
    while (arrived < 32) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    end.abort();
    answer();
    const refused = (await outcomes).flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
    expect(server.requests).toHaveLength(32);
    expect(refused).toHaveLength(8);
  });

  test("a client that waits for a connection does not retry", async () => {
    const end = new AbortController();
    const retries: number[] = [];
    const client = openClient(`http://${await deadAddress()}`, {
      onRetry: ({ attempt }) => {
        retries.push(attempt);
        end.abort();
      },
    });
    await expect(createExactlyOnce(client, request, { ...openTestRuntime(), ended: end.signal })).rejects.toMatchObject(
      { name: "AgbNetworkError" },
    );
    expect(retries).toEqual([1]);
  });
});

// Possible answers to a createSession, from AGB or from a gateway.
const lostReply = fc.constantFrom<NonNullable<FaultRule["answer"]>[]>(
  "reset",
  "truncate",
  { status: 408 },
  { status: 500 },
  { status: 502, body: "<h1>502 Bad Gateway</h1>" },
  { status: 503 },
  { status: 504 },
  { status: 404, body: "<h1>404</h1>" },
  { status: 200, body: "<html>welcome</html>" },
  { status: 200, body: { success: true, code: "ok" } },
);
// If AGB itself refuses, it created nothing.
const refusal = fc.constantFrom<NonNullable<FaultRule["answer"]>[]>(
  { status: 429 },
  { status: 400 },
  { status: 401 },
  { status: 200, body: { success: true, code: "ok", data: { success: false } } },
);
const createFault = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ when: fc.constantFrom("before" as const, "after" as const), answer: lostReply }),
  },
  { weight: 1, arbitrary: fc.record({ when: fc.constant("before" as const), answer: refusal }) },
);
const lookFault = fc.record({
  operation: fc.constantFrom("ListSession" as const, "GetLabel" as const, "getSession" as const),
  calls: fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 }),
  answer: fc.constantFrom<NonNullable<FaultRule["answer"]>[]>(
    "reset",
    { status: 503 },
    { status: 429 },
    { status: 401 },
    { status: 200, body: "<html>" },
    { status: 200, body: { success: true } },
    { status: 400, body: { success: false, code: "InvalidMcpSession.NotFound" } },
  ),
});

test("whatever fails, every running session of a create is its result, or the error names its label", async () => {
  const clock = new FakeClock();
  const lags = [0, 5_000, 30_000, 59_000, 90_000, 250_000];
  const emulators = await Promise.all(
    lags.map((labelIndexDelayMs) => startTestEmulator({ clock, labelIndexDelayMs, ...longLives })),
  );
  const property = fc.asyncProperty(
    fc.nat({ max: lags.length - 1 }),
    fc.array(createFault, { minLength: 1, maxLength: 4 }),
    fc.array(lookFault, { maxLength: 2 }),
    async (world, createFaults, lookFaults) => {
      const emulator = emulators[world] as (typeof emulators)[number];
      await emulator.reset();
      createFaults.forEach((fault, index) => {
        emulator.addFault({ operation: "createSession", calls: index + 1, ...fault });
      });
      for (const fault of lookFaults) {
        emulator.addFault(fault);
      }
      const running = () => emulator.sessions().filter(({ state }) => state === "RUNNING");
      const runtime = openTestRuntime(clock);
      const outcome = await createExactlyOnce(openClient(emulator.url), request, runtime).then(
        ({ sessionId }) => ({ sessionId, error: undefined }),
        (error: Error) => ({ sessionId: undefined, error }),
      );
      const isAnnounced = outcome.error instanceof AgbUncertainCreateError && outcome.error.message.includes(token);
      if (outcome.error !== undefined && running().length > 0) {
        expect(isAnnounced).toBe(true);
      }
      const sentAt = emulator.requests().flatMap((each) => (each.operation === "createSession" ? [each.atMs] : []));
      for (const [index, atMs] of sentAt.entries()) {
        const earlier = createFaults.slice(0, index).findLastIndex(({ answer }) => isLost(answer));
        if (earlier >= 0) {
          expect(atMs - (sentAt[earlier] ?? 0)).toBeGreaterThanOrEqual(60_000);
        }
      }
      await runtime.twins.finish();
      const others = running().filter(({ sessionId }) => sessionId !== outcome.sessionId);
      if (!isAnnounced) {
        expect(others).toEqual([]);
      }
      if (outcome.sessionId !== undefined) {
        expect(running().map(({ sessionId }) => sessionId)).toContain(outcome.sessionId);
      }
    },
  );
  await fc.assert(property, { numRuns: 200 });

  function isLost(answer: FaultRule["answer"]): boolean {
    return typeof answer !== "object" || answer.status >= 500 || answer.status === 408 || isNoRefusal(answer.body);
  }

  function isNoRefusal(body: unknown): boolean {
    return typeof body === "string" || (typeof body === "object" && body !== null && !("data" in body));
  }
});

test("a clock that is set back repeatedly lengthens no search and no watch", async () => {
  const { create, runtime, clock } = await openWorld([lostAfterEffect()], { labelIndexDelayMs: 10_000_000 });
  const sleep = clock.sleep.bind(clock);
  jest.spyOn(clock, "sleep").mockImplementation(async (milliseconds) => {
    if (clock.elapsedMs() > 7_200_000) {
      throw new Error("the search goes on for hours");
    }
    await sleep(milliseconds);
    clock.setBack(3_600_000);
  });
  expect((await create()).error).toBeInstanceOf(AgbUncertainCreateError);
  await runtime.twins.finish();
});
