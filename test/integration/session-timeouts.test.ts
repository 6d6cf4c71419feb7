import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts } from "../support/resource-hosts";
import { declare, failureOf, openStack } from "../support/session-stack";

withoutRetryDelay();

beforeEach(() => {
  jest.spyOn(console, "error").mockImplementation();
});

const slow = 60_000;

describe.each(hosts)("served by the %s host", (host) => {
  test.each([
    ["create", { create: 0 }, "timeouts.create: must be a number of seconds, more than 0"],
    ["update", { update: "5" }, "timeouts.update: must be a number of seconds"],
    ["delete", { delete: 1e9 }, "timeouts.delete: must be a number of seconds, more than 0 and at most 2147483"],
    ["another operation", { read: 5 }, "timeouts.read: unknown property; it has create, update, delete"],
    ["nothing named", 5, "timeouts: must be an object with create, update or delete in seconds, not a number"],
    ["a list", [5], "timeouts: must be an object with create, update or delete in seconds, not a list"],
  ])("an invalid limit for %s is refused by the check", async (_, timeouts, reason) => {
    const { stack } = await openStack({ host });
    const { failures } = await stack.provider.check({}, declare({}, { timeouts }));
    expect(failures).toEqual([{ property: "", reason: expect.stringContaining(reason) }]);
  });

  test("a create ends when its time is over, as uncertain, because AGB may still create the session", async () => {
    const { stack, emulator } = await openStack({ host });
    emulator.addFault({ operation: "createSession", delayMs: slow });
    const { message } = await failureOf(stack.create(declare({}, { timeouts: { create: 0.05 } })));
    expect(message).toContain("is not known whether a session was created: AGB did not answer createSession");
    expect(message).toContain("(AGB may still be working on the call)");
    expect(message).toContain("pulumi-agb sweep");
  });

  test("a session that is created when the time of its create is over is found, not lost", async () => {
    const { stack, emulator } = await openStack({ host });
    emulator.addFault({ operation: "createSession", when: "after", delayMs: slow });
    const state = await stack.create(declare({}, { timeouts: { create: 0.3 } }));
    expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual([state.id]);
  });

  test("a session that is found when the time of its create and the run are over is released", async () => {
    const { stack, emulator } = await openStack({ host });
    emulator.addFault({ operation: "createSession", when: "after", delayMs: slow });
    const created = failureOf(stack.create(declare({}, { timeouts: { create: 0.3 } })));
    while (emulator.sessions().length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await stack.objects.abandonCreates();
    expect((await created).message).toContain(
      "the run ended during the create, so the new resource was deleted again.",
    );
    expect(emulator.sessions()).toEqual([]);
  });

  test("an adoption ends when its time is over and names the limit", async () => {
    const { stack, emulator } = await openStack({ host });
    emulator.addFault({ operation: "GetLabel", delayMs: slow });
    const news = declare({}, { adopt: { sessionId: "session-1" }, timeouts: { create: 0.05 } });
    const { message } = await failureOf(stack.create(news));
    expect(message).toMatch(/AGB did not answer GetLabel within \d+ ms/);
    expect(message).toContain("timeouts.create of the session, or agb:timeoutMs or AGB_TIMEOUT_MS");
  });

  test("an update ends when its time is over and names the limit", async () => {
    const { stack, emulator } = await openStack({ host });
    const state = await stack.create();
    emulator.addFault({ operation: "SetLabel", delayMs: slow });
    const { message } = await failureOf(stack.update(state, declare({ team: "ops" }, { timeouts: { update: 0.05 } })));
    expect(message).toMatch(/AGB did not answer SetLabel within \d+ ms/);
    expect(message).toContain("timeouts.update of the session");
  });

  test("a delete ends when its time is over and names the limit", async () => {
    const { stack, emulator } = await openStack({ host });
    const state = await stack.create(declare({}, { timeouts: { delete: 0.05 } }));
    emulator.addFault({ operation: "releaseSessionAsync", delayMs: slow });
    const { message } = await failureOf(stack.provider.delete(state.id, state.outputs));
    expect(message).toMatch(/AGB did not answer releaseSessionAsync within \d+ ms/);
    expect(message).toContain("timeouts.delete of the session");
  });

  test.each([
    ["its own limit", { delete: 30 }, 30_000],
    ["five minutes", undefined, 300_000],
  ])("a delete waits for the release for %s", async (_, timeouts, limitMs) => {
    const { stack, clock } = await openStack({ host, releaseDelayMs: 2_000_000 });
    const state = await stack.create(declare({}, timeouts && { timeouts }));
    const { message } = await failureOf(stack.provider.delete(state.id, state.outputs));
    expect(message).toContain(`the session still exists after ${limitMs} ms. Run the command again to look once more.`);
    expect(clock.elapsedMs()).toBe(limitMs);
  });

  test("a delete whose time is over between two looks says that the session still exists", async () => {
    const { stack, clock } = await openStack({ host, releaseDelayMs: 2_000_000 });
    const state = await stack.create(declare({}, { timeouts: { delete: 30 } }));
    // The calls count their time by another clock than the wait; both move together here, as they do in truth.
    const realNow = performance.now.bind(performance);
    jest.spyOn(performance, "now").mockImplementation(() => realNow() + clock.elapsedMs());
    const { message } = await failureOf(stack.provider.delete(state.id, state.outputs));
    expect(message).toContain("the session still exists after 30000 ms. Run the command again to look once more.");
  });

  test("a change of the limits is stored in the state only", async () => {
    const { stack, emulator } = await openStack({ host });
    const state = await stack.create();
    const news = declare({ team: "web" }, { timeouts: { delete: 30 } });
    expect(await stack.diff(state, news)).toEqual({ replaces: [] });
    expect((await stack.update(state, news)).outputs["timeouts"]).toEqual({ delete: 30 });
    expect(emulator.requestCounts()).toEqual({ ListSession: 1, createSession: 1 });
  });
});
