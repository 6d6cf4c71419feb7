import { hosts } from "../support/resource-hosts";
import { declare, openStack, type State, sorted } from "../support/session-stack";

describe.each(hosts)("served by the %s host", (host) => {
  const kept = (labels = { team: "web" }, more = {}) => declare(labels, { onRelease: "keep", ...more });

  /** A session that AGB has released and that stays in the state. */
  async function openReleased() {
    const opened = await openStack({ host });
    const created = await opened.stack.create(kept());
    await opened.emulator.release(created.id);
    const state = (await opened.stack.refresh(created)) as State;
    const before = opened.emulator.requests().length;
    return { ...opened, created, state, requestsSince: () => opened.emulator.requests().length - before };
  }

  test('a session with onRelease "keep" stays in the state as released, with all of its outputs', async () => {
    const { created, state } = await openReleased();
    expect(state.id).toBe(created.id);
    expect(state.outputs).toEqual({ ...created.outputs, released: true });
    expect(sorted(state.inputs)).toBe(sorted(created.inputs));
  });

  test("later refreshes change no byte and ask AGB nothing", async () => {
    const { stack, state, requestsSince } = await openReleased();
    const once = (await stack.refresh(state)) as State;
    expect(sorted(once)).toBe(sorted(state));
    expect(sorted(await stack.refresh(once))).toBe(sorted(state));
    expect(await stack.diff(once, kept())).toEqual({ changes: false });
    expect(requestsSince()).toBe(0);
  });

  test("its delete does nothing", async () => {
    const { stack, state, requestsSince } = await openReleased();
    await stack.provider.delete(state.id, state.outputs);
    expect(requestsSince()).toBe(0);
  });

  test("a change of its labels is not a change: the outputs keep its labels, the inputs the declared ones", async () => {
    const { stack, state, requestsSince } = await openReleased();
    const news = kept({ team: "ops" });
    expect(await stack.diff(state, news)).toEqual({ changes: false });
    // For a resource without changes, Pulumi stores the new inputs beside the old outputs.
    const same = { ...state, inputs: await stack.check(news) };
    const refreshed = (await stack.refresh(same)) as State;
    expect(sorted(refreshed)).toBe(sorted(same));
    expect(refreshed.outputs.labels).toEqual({ team: "web" });
    expect(await stack.diff(refreshed, news)).toEqual({ changes: false });
    expect(requestsSince()).toBe(0);
  });

  test("a change of properties that AGB does not see is stored, and changes no label", async () => {
    const { stack, state, requestsSince } = await openReleased();
    const news = kept({ team: "ops" }, { timeouts: { delete: 5 } });
    expect(await stack.diff(state, news)).toEqual({ replaces: [] });
    const updated = await stack.update(state, news);
    expect(updated.outputs).toEqual({ ...state.outputs, timeouts: { delete: 5 } });
    expect(await stack.diff(updated, news)).toEqual({ changes: false });
    expect(requestsSince()).toBe(0);
  });

  test("the session that replaces it gets the labels that are declared then", async () => {
    const { stack, state } = await openReleased();
    const news = declare({ team: "ops" });
    expect(await stack.diff(state, news)).toEqual({ replaces: ["onRelease"] });
    expect((await stack.create(news)).outputs.labels).toEqual({ team: "ops" });
  });

  test.each([
    ['back to onRelease "recreate"', declare(), ["onRelease"]],
    ["of its image", kept({ team: "web" }, { imageId: "agb-browser-use-1" }), ["imageId"]],
  ])("a change %s replaces it", async (_, news, replaces) => {
    const { stack, state } = await openReleased();
    expect(await stack.diff(state, news)).toEqual({ replaces });
  });

  test("while it runs it behaves like others: no `released` in the state, labels are set, a delete releases it", async () => {
    const { stack, emulator } = await openStack({ host });
    const state = await stack.create(kept());
    expect(sorted(await stack.refresh(state))).toBe(sorted(state));
    expect(Object.keys(state.outputs)).not.toContain("released");
    const updated = await stack.update(state, kept({ team: "ops" }));
    expect(stack.labelsOf(state)).toMatchObject({ team: "ops" });
    await stack.provider.delete(updated.id, updated.outputs);
    expect(emulator.sessions()).toEqual([]);
  });

  test("a session that AGB releases during the refresh is kept too", async () => {
    const { stack, emulator } = await openStack({ host });
    const { outputs, ...state } = await stack.create(kept());
    const { appInstanceId: _, ...withoutIdentity } = outputs;
    emulator.addFault({
      operation: "getSession",
      answer: { status: 400, body: { success: false, code: "InvalidMcpSession.NotFound" } },
    });
    const seen = await stack.refresh({ ...state, outputs: withoutIdentity as State["outputs"] });
    expect(seen?.outputs["released"]).toBe(true);
  });

  test("a key that AGB refuses does not mark it as released", async () => {
    const { stack, emulator } = await openStack({ host });
    const state = await stack.create(kept());
    emulator.setApiKeys(["another-key"]);
    await expect(stack.refresh(state)).rejects.toThrow("could not refresh");
  });
});
