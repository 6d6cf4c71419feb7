import { testKey } from "../support/agb-emulator";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts } from "../support/resource-hosts";
import { provider as __provider, declare, failureOf, openStack, sorted } from "../support/session-stack";

withoutRetryDelay();

beforeEach(() => {
  jest.spyOn(console, "error").mockImplementation();
});

describe.each(hosts)("served by the %s host", (host) => {
  describe("a refresh", () => {
    test.each([
      ["with labels", declare()],
      ["without labels", declare({})],
      ["with everything", declare({ team: "web" }, { idleTimeoutSeconds: 600, policyId: "p" })],
    ])("of a session that nobody touched changes no byte of the state, however often: %s", async (_, news) => {
      const { stack, emulator } = await openStack({ host }, { cost: "1" });
      const created = await stack.create(news);
      const once = await stack.refresh(created);
      const twice = once && (await stack.refresh(once));
      expect(sorted(once)).toBe(sorted(created));
      expect(sorted(twice)).toBe(sorted(created));
      expect(emulator.requestCounts()).toEqual({ ListSession: 1, createSession: 1, getMcpResource: 2, GetLabel: 2 });
      expect(await stack.diff(created, news)).toEqual({ changes: false });
    });

    test("of a session that is gone removes it from the state", async () => {
      const { stack, emulator } = await openStack({ host });
      const state = await stack.create();
      await emulator.release(state.id);
      expect(await stack.refresh(state)).toBeUndefined();
    });

    test("of a session that AGB released when idle removes it from the state", async () => {
      const { stack, clock } = await openStack({ host });
      const state = await stack.create();
      clock.advance(301_000);
      expect(await stack.refresh(state)).toBeUndefined();
    });

    test("with a wrong key fails, says where the key came from and never treats the session as gone", async () => {
      const { stack, emulator } = await openStack({ host });
      const state = await stack.create();
      await emulator.release(state.id);
      emulator.setApiKeys(["another-key"]);
      const error = await failureOf(stack.refresh(state));
      expect(error.message).toContain(`could not refresh AgbSession "web" (session ${state.id})`);
      expect(error.message).toContain("Check that the API key from AGB_API_KEY");
      expect(error.message).not.toContain(testKey);
    });

    test("while AGB fails is an error and never treats the session as gone", async () => {
      const { stack, emulator } = await openStack({ host });
      const state = await stack.create();
      emulator.addFault({ operation: "getMcpResource", answer: { status: 500 } });
      expect((await failureOf(stack.refresh(state))).message).toContain("AGB refused getMcpResource");
    });

    test("reads what a create could not read because its reply was lost", async () => {
      const { stack, emulator } = await openStack({ host });
      emulator.addFault({ operation: "createSession", when: "after", answer: "reset" });
      const fault = emulator.addFault({ operation: "getSession", answer: { status: 500 } });
      const state = await stack.create();
      expect(state.outputs["appInstanceId"]).toBeUndefined();
      fault.remove();
      const [session] = emulator.sessions();
      expect((await stack.refresh(state))?.outputs).toMatchObject({
        appInstanceId: session?.appInstanceId,
        resourceId: session?.resourceId,
      });
    });
  });

  describe("a look-up of a session", () => {
    test("needs nothing but its id", async () => {
      const { stack, emulator } = await openStack({ host });
      const { id } = await stack.create();
      const [session] = emulator.sessions();
      const found = await stack.provider.read(id, { __provider });
      expect(found).toEqual({
        id,
        props: {
          labels: { team: "web" },
          labelsAll: session?.labels,
          appInstanceId: session?.appInstanceId,
          resourceId: session?.resourceId,
          service: emulator.url,
          __provider,
        },
      });
      expect(await stack.provider.read(id)).toMatchObject({
        id,
        props: { labels: { team: "web" }, service: emulator.url },
      });
    });

    test("fails when no such session runs, and says what to do", async () => {
      const { stack, emulator } = await openStack({ host });
      expect((await failureOf(stack.provider.read("session-that-never-was", { __provider }))).message).toBe(
        "could not look up AgbSession (session session-that-never-was): no session with this id exists at " +
          `${emulator.url} in the account of the key from AGB_API_KEY. AGB releases idle sessions. ` +
          "Look up a session that is running, or remove the look-up from the program. [AGB314]",
      );
    });

    test("that is gone at the next refresh removes it from the state, because the program decides whether it is needed", async () => {
      const { stack, emulator } = await openStack({ host });
      const { id } = await stack.create();
      const { props } = await stack.provider.read(id, { __provider });
      await emulator.release(id);
      expect(await stack.provider.read(id, { ...props, __provider })).toEqual({});
    });

    test("fails when the session goes during the look-up", async () => {
      const { stack, emulator } = await openStack({ host });
      const { id } = await stack.create();
      emulator.addFault({
        operation: "getSession",
        answer: { status: 400, body: { success: false, code: "InvalidMcpSession.NotFound" } },
      });
      expect((await failureOf(stack.provider.read(id, {}))).message).toContain("no session with this id exists");
    });
  });
});

// A plugin is told the name of every resource, whatever its state says.
describe("served by the dynamic host, a resource whose name the provider does not know", () => {
  test("says `look up` or `refresh` also where the state does not name the resource", async () => {
    const { stack, emulator } = await openStack();
    emulator.setApiKeys(["another-key"]);
    const error = await failureOf(stack.provider.read("session-1", {}));
    expect(error.message).toMatch(/^could not look up AgbSession \(session session-1\): /);
    expect(error.message).not.toContain("stays in the state");
    const refresh = await failureOf(stack.provider.read("session-1", { labelsAll: {} }));
    expect(refresh.message).toMatch(/^could not refresh AgbSession \(session session-1\): /);
  });

  test("names no resource in a later refresh, because its label names the owner's", async () => {
    const { stack, emulator } = await openStack();
    const { id } = await stack.create();
    const { props } = await stack.provider.read(id, { __provider });
    emulator.setApiKeys(["another-key"]);
    const { message } = await failureOf(stack.provider.read(id, { ...props, __provider }));
    expect(message).toMatch(/^could not refresh AgbSession \(session /);
  });
});
