import { hosts } from "../support/resource-hosts";
import { declare, openStack, owner, type State, sorted } from "../support/session-stack";

describe.each(hosts)("served by the %s host", (host) => {
  let errorStream: jest.SpyInstance;

  beforeEach(() => {
    errorStream = jest.spyOn(console, "error").mockImplementation();
  });

  afterEach(() => {
    expect(errorStream).not.toHaveBeenCalled();
    jest.restoreAllMocks();
  });

  /** A session beside which other tools set labels: `ci` and two that begin with `bot-`. */
  async function openShared(news: Record<string, unknown>, config: Record<string, string> = {}) {
    const opened = await openStack({ host }, undefined, config);
    const state = await opened.stack.create(news);
    const foreign = { ci: "42", "bot-owner": "x", "bot-seen": "y" };
    await opened.emulator.setLabels(state.id, { ...opened.stack.labelsOf(state), ...foreign });
    return { ...opened, state, foreign };
  }

  const patterns = ["ci", "bot-*"];

  test.each([
    ["by the session", declare({ team: "web" }, { ignoreLabels: patterns }), {}],
    ["by the stack, as JSON", declare(), { "agb:ignoreLabels": JSON.stringify(patterns) }],
    ["by the stack, with commas", declare(), { "agb:ignoreLabels": "ci, bot-*" }],
    [
      "by the session and the stack together",
      declare({ team: "web" }, { ignoreLabels: ["ci"] }),
      { "agb:ignoreLabels": "bot-*" },
    ],
  ])("labels of other tools that are left alone %s are no drift and change no byte", async (_, news, config) => {
    const { stack, state } = await openShared(news, config);
    const once = await stack.refresh(state);
    const twice = await stack.refresh(once as State);
    expect(sorted(once)).toBe(sorted(state));
    expect(sorted(twice)).toBe(sorted(state));
    expect(await stack.diff(once as State, news)).toEqual({ changes: false });
  });

  test("an update keeps the labels of other tools, with their current values", async () => {
    const { stack, state, emulator, foreign } = await openShared(declare({ team: "web" }, { ignoreLabels: patterns }));
    await emulator.setLabels(state.id, { ...stack.labelsOf(state), ci: "43" });
    const updated = await stack.update(state, declare({ stage: "test" }, { ignoreLabels: patterns }));
    const token = state.outputs.labelsAll["pulumi-create"];
    expect(stack.labelsOf(state)).toEqual({ stage: "test", ...owner, ...foreign, ci: "43", "pulumi-create": token });
    expect(updated.outputs.labelsAll).toEqual({ stage: "test", ...owner, "pulumi-create": token });
  });

  test("a label that no pattern names is drift, and an update removes it", async () => {
    const news = declare({ team: "web" }, { ignoreLabels: ["bot-*"] });
    const { stack, state } = await openShared(news);
    const seen = (await stack.refresh(state)) as State;
    expect(seen.outputs.labels).toEqual({ team: "web", ci: "42" });
    expect((await stack.diff(seen, news)).changes).not.toBe(false);
    await stack.update(seen, news);
    expect(Object.keys(stack.labelsOf(state) ?? {})).not.toContain("ci");
    expect(stack.labelsOf(state)).toMatchObject({ "bot-owner": "x", "bot-seen": "y" });
  });

  test.each(["team", "te*", "*"])("a declared label is never ignored, even if %s matches it", async (pattern) => {
    const news = declare({ team: "web" }, { ignoreLabels: [pattern] });
    const { stack, emulator } = await openStack({ host });
    const state = await stack.create(news);
    await emulator.setLabels(state.id, { ...stack.labelsOf(state), team: "ops" });
    const seen = (await stack.refresh(state)) as State;
    expect(seen.outputs.labels).toEqual({ team: "ops" });
    expect((await stack.diff(seen, news)).changes).not.toBe(false);
    await stack.update(seen, news);
    expect(stack.labelsOf(state)).toMatchObject({ team: "web" });
  });

  test("a label that the program no longer declares is removed, even if a pattern matches it", async () => {
    const { stack, state } = await openShared(declare({ "bot-own": "1" }, { ignoreLabels: patterns }));
    await stack.update(state, declare({}, { ignoreLabels: patterns }));
    expect(Object.keys(stack.labelsOf(state) ?? {}).sort()).toEqual(
      ["bot-owner", "bot-seen", "ci", ...Object.keys(owner), "pulumi-create"].sort(),
    );
  });

  test("drift that a new pattern covers is left to the other tool, not removed", async () => {
    const { stack, state, foreign } = await openShared(declare());
    const seen = (await stack.refresh(state)) as State;
    expect(seen.outputs.labels).toEqual({ team: "web", ...foreign });
    const updated = await stack.update(seen, declare({ team: "web" }, { ignoreLabels: patterns }));
    expect(stack.labelsOf(state)).toMatchObject(foreign);
    expect(updated.outputs.labels).toEqual({ team: "web" });
  });

  test("a change of only the patterns is stored without a call to AGB", async () => {
    const { stack, emulator } = await openStack({ host });
    const state = await stack.create();
    const news = declare({ team: "web" }, { ignoreLabels: patterns });
    expect(await stack.diff(state, news)).toEqual({ replaces: [] });
    const updated = await stack.update(state, news);
    expect(updated.outputs["ignoreLabels"]).toEqual(patterns);
    expect(emulator.requestCounts()).toEqual({ ListSession: 1, createSession: 1 });
  });
});
