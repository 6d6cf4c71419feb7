// What `preview-environment up` decides. AGB is the emulator; the engine and the forge are fake.

import { bringUp } from "../../provider/previews/up";
import { ours, theirs, upOptions } from "../support/emulated-preview-job";
import { exportWithContexts, failed, openFakeJob, stateOf } from "../support/fake-preview-job";
import { hosts } from "../support/resource-hosts";

describe("up", () => {
  test("that fails ends with Pulumi's exit code, and the comment and the log say what exists", async () => {
    const fake = openFakeJob({ update: async () => failed("error: boom", 1) });
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", ["s-1"]));
    expect(await bringUp(fake.job, upOptions)).toBe(1);
    expect(fake.comments[0]).toMatchObject({
      request: 1,
      markdown: expect.stringContaining("could not be created or updated"),
    });
    expect(fake.comments[0]?.markdown).toContain("`s-1`");
    expect(fake.summaries).toEqual([fake.comments[0]?.markdown]);
    expect(fake.published).toEqual({});
  });

  test("whose state cannot be read afterwards says so", async () => {
    const exportState = jest.fn().mockResolvedValueOnce(undefined).mockRejectedValue(new Error("no backend"));
    const fake = openFakeJob({ exportState });
    fake.requests.set(1, { isOpen: true, updatedAt: new Date() });
    // Nobody knows whether there is an app that does not work.
    expect(await bringUp(fake.job, upOptions)).toBe(20);
    expect(fake.warned).toEqual(["Could not read the state of pr-1, so no app was checked: no backend"]);
    expect(fake.summaries[0]).toContain("The sessions are unknown");
  });

  test("publishes the ids of running sessions, not of released ones that stay in the state", async () => {
    const fake = openFakeJob();
    const state = stateOf("shop", "pr-1", ["s-1", "s-2"]);
    const sessions = state.sessions.map((session, index) => ({ ...session, isReleased: index === 1 }));
    fake.stacks.set("pr-1", { ...state, sessions });
    await bringUp(fake.job, upOptions);
    expect(fake.published).toEqual({ stack: "pr-1", "session-ids": '{"web-0":"s-1"}' });
  });

  test.each(hosts)("publishes and shows only sessions when the stack also has contexts: %s", async (host) => {
    const fake = openFakeJob({}, { repository: ours });
    const state = exportWithContexts(stateOf("shop", "pr-1", ["s-1"], [ours], host), ["SdkCtx-1"]);
    fake.stacks.set("pr-1", state);
    expect(await bringUp(fake.job, upOptions)).toBe(0);
    expect(fake.published).toEqual({ stack: "pr-1", "session-ids": '{"web-0":"s-1"}' });
    expect([...fake.said, ...fake.summaries].join("\n")).not.toContain("SdkCtx");
  });

  test("of a closed request, as when an old job is started again, creates nothing and says so", async () => {
    const fake = openFakeJob();
    fake.requests.set(1, { isOpen: false, updatedAt: new Date() });
    expect(await bringUp(fake.job, upOptions)).toBe(0);
    expect(fake.commands).toEqual([]);
    expect(fake.comments).toEqual([]);
    expect(fake.warned).toEqual(["Request 1 is closed, so no environment was created. Reopen it to get one."]);
  });

  test("continues when the forge does not say whether the request is open", async () => {
    const fake = openFakeJob();
    fake.requests.set(1, new Error("no forge"));
    expect(await bringUp(fake.job, upOptions)).toBe(0);
    expect(fake.commands).toEqual(["create pr-1", "update pr-1"]);
    expect(fake.warned).toEqual(["Could not find out whether request 1 is closed: no forge"]);
  });

  test.each([
    ["this repository's, when it is known", ours, undefined, ours],
    ["this repository's, when an older run set none", ours, stateOf("shop", "pr-1", ["s-1"]), ours],
    ["that of the state, when a run by hand knows none", undefined, stateOf("shop", "pr-1", ["s-1"], [theirs]), theirs],
    ["none, when none is known", undefined, stateOf("shop", "pr-1", ["s-1"]), undefined],
    ["none, when the state has several", undefined, stateOf("shop", "pr-1", ["1", "2"], [ours, theirs]), undefined],
  ])("labels the sessions with a repository: %s", async (_, repository, state, expected) => {
    const fake = openFakeJob({}, { repository });
    if (state !== undefined) {
      fake.stacks.set("pr-1", state);
    }
    expect(await bringUp(fake.job, upOptions)).toBe(0);
    expect(fake.configuration["preview:repository"]).toBe(expected);
    expect(fake.configuration["agb:repository"]).toBe(expected);
    expect(fake.configuration).toMatchObject({ "preview:request": "1", "preview:commit": "9f3c2e1" });
  });

  test.each([
    ["shop", "production"],
    ["bank", "pr-1"],
  ])("does not count a session of %s/%s, which the program looks up, as the stack's own", async (project, stack) => {
    const fake = openFakeJob({}, { repository: ours });
    const { sessions } = stateOf(project, stack, ["s-1"], [theirs]);
    fake.stacks.set("pr-1", { ...stateOf("shop", "pr-1", []), sessions });
    expect(await bringUp(fake.job, upOptions)).toBe(0);
  });

  test("uses the stack of the organization", async () => {
    const fake = openFakeJob({}, { organization: "acme" });
    await bringUp(fake.job, upOptions);
    expect(fake.commands).toEqual(["create acme/pr-1", "update acme/pr-1"]);
  });
});

describe("up, when Pulumi could not run,", () => {
  const wrong = (error: Error) => async () => {
    throw error;
  };
  test.each([
    ["the stack is refused", { createStack: wrong(new Error("no such passphrase")) }, "no such passphrase"],
    ["there is no CLI", { update: wrong(new Error("The Pulumi CLI was not found")) }, "The Pulumi CLI was not found"],
    [
      "the stack is locked again and again",
      { update: async () => failed("[409] Conflict: Another update is currently in progress") },
      "is still locked (another run), although 3 locks were removed",
    ],
  ])("says so when %s, and fails", async (_, pulumi, message) => {
    const fake = openFakeJob(pulumi);
    await expect(bringUp(fake.job, upOptions)).rejects.toThrow(message);
    expect(fake.comments).toEqual([
      { request: 1, markdown: expect.stringContaining("could not be created or updated"), mode: "create" },
    ]);
    expect(fake.comments[0]?.markdown).toContain("See [the job](https://forge.test/jobs/1) for the reason.");
    expect(fake.published).toEqual({});
  });

  test("reports that it was cancelled, when it was stopped while it waited", async () => {
    const stop = new AbortController();
    const pause = async () => {
      stop.abort(new Error("Stopped."));
      throw stop.signal.reason;
    };
    const update = async () => failed("[409] Conflict: Another update is currently in progress");
    const fake = openFakeJob({ update }, { pause, signal: stop.signal });
    await expect(bringUp(fake.job, { ...upOptions, lockWaitMs: 1_000 })).rejects.toThrow("Stopped.");
    expect(fake.comments).toMatchObject([{ markdown: expect.stringContaining("was cancelled before it was ready") }]);
  });
});

test("up whose stack is removed at the same time fails and says so", async () => {
  const fake = openFakeJob({ exportState: async () => undefined });
  expect(await bringUp(fake.job, upOptions)).toBe(1);
  expect(fake.comments).toMatchObject([{ markdown: expect.stringContaining("could not be created or updated") }]);
  expect(fake.warned.at(-1)).toContain("was removed by something else during its update");
  expect(fake.published).toEqual({});
});

test("up publishes sessions with the same name in different components by their URNs", async () => {
  const fake = openFakeJob();
  const state = stateOf("shop", "pr-1", ["s-1", "s-2", "s-3"]);
  const [first, second, third] = state.sessions.map((session, index) => ({
    ...session,
    name: index < 2 ? "web" : "db",
    urn: `urn:pulumi:pr-1::shop::C${index}$agb:AgbSession::web`,
  }));
  // biome-ignore lint/style/noNonNullAssertion: there are three
  fake.stacks.set("pr-1", { ...state, sessions: [first!, second!, third!] });
  await bringUp(fake.job, upOptions);
  expect(JSON.parse(fake.published["session-ids"] ?? "")).toEqual({
    "urn:pulumi:pr-1::shop::C0$agb:AgbSession::web": "s-1",
    "urn:pulumi:pr-1::shop::C1$agb:AgbSession::web": "s-2",
    db: "s-3",
  });
});
