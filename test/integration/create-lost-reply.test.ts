// A create whose reply was lost, against the emulator with faults.

import type { FaultRule } from "../../provider/emulator";
import { AgbUncertainCreateError } from "../../provider/lifecycle/errors";
import { createToken, createWithFaults, longLives, sessionIdsIn } from "../support/faulty-create";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts } from "../support/resource-hosts";
import { captureErrorStream } from "../support/said";
import { declare, failureOf, openStack } from "../support/session-stack";

withoutRetryDelay();

const lostReplies: [string, Pick<FaultRule, "answer">][] = [
  ["the connection is reset", { answer: "reset" }],
  ["the reply breaks off", { answer: "truncate" }],
  ["a gateway answers 502", { answer: { status: 502, body: "<h1>502 Bad Gateway</h1>" } }],
  ["AGB answers 500", { answer: { status: 500 } }],
  ["a page arrives with status 200", { answer: { status: 200, body: "<html>welcome</html>" } }],
  ["the reply names no session", { answer: { status: 200, body: { success: true, code: "ok" } } }],
];

/** After this answer AGB may still be working on the call. */
const gatewayTimeout: (typeof lostReplies)[number] = ["a gateway answers 504", { answer: { status: 504 } }];

test.each(lostReplies)(
  "when %s before the session was created, it is searched for and then created",
  async (_, fault) => {
    const { session, elapsedMs, emulator } = await createWithFaults([
      { operation: "createSession", calls: 1, when: "before", ...fault },
    ]);
    expect(session).toBeDefined();
    expect(sessionIdsIn(emulator)).toEqual([session?.sessionId]);
    expect(elapsedMs).toBeGreaterThanOrEqual(60_000);
  },
);

describe.each([...lostReplies, gatewayTimeout])("when %s", (_, fault) => {
  test("after the session was created, the search finds it and no second one is created", async () => {
    const { session, counts, emulator } = await createWithFaults([
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
    "and labels can be listed only after %i ms, no second session is created",
    async (labelIndexDelayMs) => {
      const { session, counts, emulator } = await createWithFaults(
        [{ operation: "createSession", when: "after", ...fault }],
        { labelIndexDelayMs },
      );
      expect(session).toBeDefined();
      expect(sessionIdsIn(emulator)).toEqual([session?.sessionId]);
      expect(counts["createSession"]).toBe(1);
    },
  );

  test.each([
    ["the list fails", { operation: "ListSession", answer: { status: 503 } }],
    ["the labels cannot be read", { operation: "GetLabel", answer: { status: 500 } }],
    ["the labels are missing", { operation: "GetLabel", answer: { status: 200, body: { success: true } } }],
    ["the labels are empty", { operation: "GetLabel", answer: { status: 200, body: { success: true, data: {} } } }],
    [
      "AGB says that the session does not exist",
      { operation: "GetLabel", answer: { status: 400, body: { success: false, code: "InvalidMcpSession.NotFound" } } },
    ],
    ["the list breaks off", { operation: "ListSession", answer: "truncate" }],
    ["a page arrives instead of the list", { operation: "ListSession", answer: { status: 200, body: "<html>" } }],
  ] as [string, Pick<FaultRule, "operation" | "answer">][])(
    "and %s for a while, no second session is created",
    async (_, passing) => {
      const calls = Array.from({ length: 20 }, (_, index) => index + 1);
      const { session, counts, emulator } = await createWithFaults([
        { operation: "createSession", calls: 1, when: "after", ...fault },
        { calls, ...passing },
      ]);
      expect(session).toBeDefined();
      expect(sessionIdsIn(emulator)).toEqual([session?.sessionId]);
      expect(counts["createSession"]).toBe(1);
    },
  );

  test("and the list fails too, the create is uncertain, its error has the token, and no second session is created", async () => {
    const { error, counts, emulator } = await createWithFaults([
      { operation: "createSession", when: "after", ...fault },
      { operation: "ListSession", answer: { status: 503 } },
    ]);
    expect(error).toBeInstanceOf(AgbUncertainCreateError);
    expect(error).toMatchObject({ createToken, message: expect.stringContaining(`pulumi-create=${createToken}`) });
    expect(emulator.sessions()).toHaveLength(1);
    expect(counts["createSession"]).toBe(1);
  });
});

test("a session whose reply arrives too late is found", async () => {
  const { session, emulator } = await createWithFaults(
    [{ operation: "createSession", calls: 1, when: "after", delayMs: 5_000 }],
    {},
    200,
  );
  expect(session).toBeDefined();
  expect(sessionIdsIn(emulator)).toEqual([session?.sessionId]);
});

describe("a session that is not found while AGB may still be working on the call", () => {
  test.each([
    ["a gateway answers 504", { answer: { status: 504 } }, 10_000],
    ["the time limit passes", { delayMs: 5_000 }, 200],
  ])("makes the create uncertain, and no second session is created: %s", async (_, fault, timeoutMs) => {
    const { error, emulator, elapsedMs } = await createWithFaults(
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

test("a key that is refused during the search leaves the create uncertain", async () => {
  const { error, counts } = await createWithFaults([
    { operation: "createSession", when: "after", answer: "reset" },
    { operation: "ListSession", answer: { status: 401 } },
  ]);
  expect(error).toBeInstanceOf(AgbUncertainCreateError);
  expect(counts["createSession"]).toBe(1);
});

describe("a session that was found after its reply was lost", () => {
  test.each([
    ["cannot be read because AGB fails", { status: 500 }],
    ["cannot be read because a gateway answers", { status: 502, body: "<h1>502</h1>" }],
    ["is described in an unknown form", { status: 200, body: { success: true, data: 5 } }],
    ["cannot be read because the connection breaks", "reset" as const],
  ])("and then %s keeps its id, so that it is not left running unknown", async (_, answer) => {
    const { session, emulator } = await createWithFaults([
      { operation: "createSession", calls: 1, when: "after", answer: "reset" },
      { operation: "getSession", answer },
    ]);
    expect(session).toEqual({ sessionId: emulator.sessions()[0]?.sessionId });
  });
});

describe.each(hosts)("served by the %s host", (host) => {
  captureErrorStream();

  const fails = (when: "before" | "after", fault: Pick<FaultRule, "answer">) =>
    openStack({ host, ...longLives, faults: [{ operation: "createSession", calls: 1, when, ...fault }] });

  test.each([...lostReplies, gatewayTimeout])(
    "when %s after the session was created, the state has that session, and there is no other",
    async (_, fault) => {
      const { stack, emulator } = await fails("after", fault);
      const state = await stack.create();
      expect(sessionIdsIn(emulator)).toEqual([state.id]);
      expect(state.outputs.labelsAll).toEqual(emulator.sessions()[0]?.labels);
    },
  );

  test.each(lostReplies)("when %s before the session was created, the state has the only session", async (_, fault) => {
    const { stack, emulator } = await fails("before", fault);
    const state = await stack.create();
    expect(sessionIdsIn(emulator)).toEqual([state.id]);
  });

  test("when the list fails too, the error names the label of the session, and no second one is created", async () => {
    const { stack, emulator } = await fails("after", { answer: "reset" });
    emulator.addFault({ operation: "ListSession", answer: { status: 503 } });
    const { message, id } = await failureOf(stack.provider.create(declare()));
    const [session, ...others] = emulator.sessions();
    expect(message).toContain(`pulumi-create=${session?.labels["pulumi-create"]}`);
    expect(id).toBeUndefined();
    expect(others).toEqual([]);
  });
});
