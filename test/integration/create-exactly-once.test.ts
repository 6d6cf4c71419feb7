// A create that succeeds, fails, is throttled or has its own time limit. Lost replies: `create-lost-reply.test.ts`. What the
// search takes for the created session: `create-search.test.ts`. Twins and the end of a run: `create-twins.test.ts`.

import { AgbApiError } from "../../provider/api/errors";
import type { FaultRule } from "../../provider/emulator";
import { createExactlyOnce } from "../../provider/lifecycle/create-once";
import { AgbUncertainCreateError } from "../../provider/lifecycle/errors";
import { openClient } from "../support/agb-client";
import { startTestEmulator } from "../support/agb-emulator";
import { openTestRuntime } from "../support/create-runtime";
import { FakeClock } from "../support/fake-clock";
import { createRequest, createToken, createWithFaults, outcomeOf, sessionIdsIn } from "../support/faulty-create";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts } from "../support/resource-hosts";
import { captureErrorStream } from "../support/said";
import { declare, openStack } from "../support/session-stack";

withoutRetryDelay();

test("a create that succeeds takes one call", async () => {
  const { session, counts, emulator } = await createWithFaults([]);
  expect(counts).toEqual({ createSession: 1 });
  expect(emulator.sessions()).toEqual([expect.objectContaining({ ...session, labels: createRequest.labels })]);
});

test("a create that keeps failing is uncertain after three attempts, with AGB's reason", async () => {
  const { error, emulator, counts } = await createWithFaults([{ operation: "createSession", answer: { status: 503 } }]);
  expect(error).toBeInstanceOf(AgbUncertainCreateError);
  expect(error).toMatchObject({ createToken, cause: { name: "AgbApiError", status: 503 } });
  expect(emulator.sessions()).toEqual([]);
  expect(counts["createSession"]).toBe(3);
});

test.each([
  ["refuses for the quota", { status: 200, body: { success: true, code: "ok", data: { success: false } } }],
  ["refuses with HTTP 400", { status: 400 }],
  ["refuses the key", { status: 401 }],
])("a create that AGB %s is neither searched for nor retried", async (_, answer) => {
  const { error, counts } = await createWithFaults([{ operation: "createSession", answer }]);
  expect(error).toBeInstanceOf(AgbApiError);
  expect(counts).toEqual({ createSession: 1 });
});

test("a key that a gateway refuses makes the create fail, not uncertain", async () => {
  const answer = { status: 401, body: { message: "Unauthorized" } };
  const { error, counts } = await createWithFaults([{ operation: "createSession", answer }]);
  expect(error).toMatchObject({ name: "AgbAuthenticationError" });
  expect(counts).toEqual({ createSession: 1 });
});

describe("a create that AGB throttles", () => {
  test("waits as long as AGB asks and is then retried, without a search", async () => {
    const { session, clock, counts } = await createWithFaults([
      { operation: "createSession", calls: 1, answer: { status: 429, headers: { "retry-after": "20" } } },
    ]);
    expect(session).toBeDefined();
    expect(clock.sleeps).toEqual([20_000]);
    expect(counts).toEqual({ createSession: 2 });
  });

  test("for too long fails without waiting", async () => {
    const { error, clock } = await createWithFaults([
      { operation: "createSession", answer: { status: 429, headers: { "retry-after": "86400" } } },
    ]);
    expect(error).toMatchObject({ status: 429 });
    expect(clock.sleeps).toEqual([]);
  });
});

describe("a create with its own time limit", () => {
  async function createWithin(limitMs: number, faults: FaultRule[]) {
    const clock = new FakeClock();
    const emulator = await startTestEmulator({ clock, faults });
    const client = openClient(emulator.url);
    const runtime = openTestRuntime(clock);
    const outcome = await outcomeOf(createExactlyOnce(client.within(limitMs), createRequest, runtime, client));
    return { ...outcome, clock, emulator };
  }

  test("that passes when the session is created still finds it, so that it is not lost", async () => {
    const late = { operation: "createSession", calls: 1, when: "after", delayMs: 5_000 } as const;
    const { session, emulator } = await createWithin(150, [late]);
    expect(session).toBeDefined();
    expect(sessionIdsIn(emulator)).toEqual([session?.sessionId]);
  });

  test("does not wait longer than its limit when AGB throttles", async () => {
    const throttled = { status: 429, headers: { "retry-after": "20" } };
    const { error, clock } = await createWithin(5_000, [{ operation: "createSession", answer: throttled }]);
    expect(error).toMatchObject({ status: 429 });
    expect(clock.sleeps).toEqual([]);
  });

  test("that has passed before the call sends nothing and searches for nothing", async () => {
    const { error, emulator } = await createWithin(0, []);
    expect(error).toMatchObject({ name: "AgbTimeoutError", timeoutMs: 0 });
    expect(emulator.requestCounts()).toEqual({});
  });
});

test("a create without a create label is refused before anything is sent", async () => {
  const emulator = await startTestEmulator();
  const failure = createExactlyOnce(openClient(emulator.url), { ...createRequest, labels: {} }, openTestRuntime());
  await expect(failure).rejects.toThrow("the label pulumi-create is missing");
  expect(emulator.requestCounts()).toEqual({});
});

describe.each(hosts)("served by the %s host", (host) => {
  captureErrorStream();

  test("many concurrent creates create one session each when every second reply is lost", async () => {
    const lost = Array.from({ length: 20 }, (_, index) => 2 * index + 1);
    const { stack, emulator } = await openStack({
      host,
      faults: [
        { operation: "createSession", calls: lost, when: "after", answer: "reset" },
        { operation: "ListSession", calls: lost, answer: { status: 503 } },
      ],
    });
    const made = await Promise.all(Array.from({ length: 20 }, () => stack.provider.create(declare())));
    const ids = made.map(({ id }) => id).sort();
    expect(new Set(ids).size).toBe(20);
    expect(sessionIdsIn(emulator).sort()).toEqual(ids);
    for (const { sessionId, labels } of emulator.sessions()) {
      expect(made.find(({ id }) => id === sessionId)?.outs["labelsAll"]).toEqual(labels);
    }
  });
});
