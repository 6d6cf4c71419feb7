// The decisions of preview environments' jobs: AGB is the emulator, the engine and the forge are stand-ins.

import { hostname } from "node:os";
import fc from "fast-check";
import type { Emulator } from "../../provider/emulator";
import { newCreateToken, ownerLabels } from "../../provider/lifecycle/ownership";
import { takeDown } from "../../provider/previews/down";
import type { ReleasingJob } from "../../provider/previews/job";
import { recover } from "../../provider/previews/recover";
import { decideFate } from "../../provider/previews/request-decisions";
import { type SweepOptions, sweep } from "../../provider/previews/sweep";
import { somethingIsLeft } from "../../provider/previews/sweep-result";
import { bringUp } from "../../provider/previews/up";
import { type StackState, secretText } from "../../provider/pulumi/stack-state";
import { openClient } from "../support/agb-client";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { createId } from "../support/emulator-requests";
import { done, failed, openFakeJob, stackIdOf, stateOf } from "../support/fake-preview-job";
import { failureOf } from "../support/session-stack";
import { setVariable } from "../support/set-variable";

const upOptions = { request: 1, commit: "9f3c2e1", secretsProvider: undefined, lockWaitMs: 0 };
const downOptions = { request: 1, lockWaitMs: 0 };
const recoverOptions = { request: 1, force: true };
const sweepOptions: SweepOptions = { idleDays: undefined, minimumAgeMs: 600_000, execute: true, lockWaitMs: 0 };

const ours = "github.com/repositories/81";
const theirs = "github.com/repositories/99";

/** A job on an emulator, and a way to make sessions there that were made so many minutes ago. */
async function openJob(pulumi: Parameters<typeof openFakeJob>[0] = {}, repository?: string) {
  const emulator = await startTestEmulator();
  const fake = openFakeJob(pulumi, { client: openClient(emulator.url), repository });
  return { ...fake, ...sessionsIn(emulator, fake.clock.now()) };
}

function sessionsIn(emulator: Emulator, nowMs: number) {
  return {
    emulator,
    make: (
      stack: string,
      minutesOld = 60,
      project = "shop",
      repository?: string,
      stackId: string | undefined = stackIdOf(project, stack),
    ) =>
      createId(
        emulator.url,
        {
          ...ownerLabels({ project, stack, resource: "web", repository }),
          ...(stackId !== "" && { "pulumi-stack-id": stackId }),
          "pulumi-create": newCreateToken(new Date(nowMs - minutesOld * 60_000)),
        },
        {},
        testKey,
      ),
    running: () => new Set(emulator.sessions().map(({ sessionId }) => sessionId)),
  };
}

describe("up", () => {
  test("that fails ends with Pulumi's exit code, and the comment and the log tell what is there", async () => {
    const fake = openFakeJob({ update: async () => failed("error: boom", 1) });
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", ["s-1"]));
    expect(await bringUp(fake.job, upOptions)).toBe(1);
    expect(fake.comments[0]).toMatchObject({
      request: 1,
      markdown: expect.stringContaining("could not be brought up"),
    });
    expect(fake.comments[0]?.markdown).toContain("`s-1`");
    expect(fake.summaries).toEqual([fake.comments[0]?.markdown]);
    expect(fake.published).toEqual({});
  });

  test("whose state cannot be read afterwards says so", async () => {
    const exportState = jest.fn().mockResolvedValueOnce(undefined).mockRejectedValue(new Error("no backend"));
    const fake = openFakeJob({ exportState });
    fake.requests.set(1, { isOpen: true, updatedAt: new Date() });
    expect(await bringUp(fake.job, upOptions)).toBe(0);
    expect(fake.warned).toEqual(["The sessions of pr-1 are not known: no backend"]);
    expect(fake.summaries[0]).toContain("could not be found out");
  });

  test("publishes the ids of sessions that run, not of those that are kept though released", async () => {
    const fake = openFakeJob();
    const state = stateOf("shop", "pr-1", ["s-1", "s-2"]);
    const sessions = state.sessions.map((session, index) => ({ ...session, isReleased: index === 1 }));
    fake.stacks.set("pr-1", { ...state, sessions });
    await bringUp(fake.job, upOptions);
    expect(fake.published).toEqual({ stack: "pr-1", "session-ids": '{"web-0":"s-1"}' });
  });

  test("of a closed request, as when an old job is started again, makes nothing and says so", async () => {
    const fake = openFakeJob();
    fake.requests.set(1, { isOpen: false, updatedAt: new Date() });
    expect(await bringUp(fake.job, upOptions)).toBe(0);
    expect(fake.commands).toEqual([]);
    expect(fake.comments).toEqual([]);
    expect(fake.warned).toEqual(["Request 1 is closed, so it gets no environment."]);
  });

  test("goes on when the forge cannot tell whether the request is open", async () => {
    const fake = openFakeJob();
    fake.requests.set(1, new Error("no forge"));
    expect(await bringUp(fake.job, upOptions)).toBe(0);
    expect(fake.commands).toEqual(["create pr-1", "update pr-1"]);
    expect(fake.warned).toEqual(["Could not find out whether request 1 is open: no forge"]);
  });

  test.each([
    ["this repository's, when it is known", ours, undefined, ours],
    ["this repository's, where an older run gave none", ours, stateOf("shop", "pr-1", ["s-1"]), ours],
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
    expect(fake.configuration).toMatchObject({ "preview:request": "1", "preview:commit": "9f3c2e1" });
  });

  test.each([
    ["shop", "production"],
    ["bank", "pr-1"],
  ])("does not take a session of %s/%s, which the program looks up, for the stack's own", async (project, stack) => {
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

describe("up, when Pulumi could not do its work,", () => {
  const wrong = (error: Error) => async () => {
    throw error;
  };
  test.each([
    ["the stack is refused", { createStack: wrong(new Error("no such passphrase")) }, "no such passphrase"],
    ["there is no CLI", { update: wrong(new Error("The Pulumi CLI was not found")) }, "The Pulumi CLI was not found"],
    [
      "the stack is locked again and again",
      { update: async () => failed("[409] Conflict: Another update is currently in progress") },
      "is still locked (another run) after 3 locks were taken away",
    ],
  ])("says so when %s, and fails", async (_, pulumi, message) => {
    const fake = openFakeJob(pulumi);
    await expect(bringUp(fake.job, upOptions)).rejects.toThrow(message);
    expect(fake.comments).toEqual([
      { request: 1, markdown: expect.stringContaining("could not be brought up"), mode: "create" },
    ]);
    expect(fake.comments[0]?.markdown).toContain("[The job](https://forge.test/jobs/1) says why.");
    expect(fake.published).toEqual({});
  });

  test("tells that it was cancelled when it was stopped while it waited", async () => {
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
  expect(fake.comments).toMatchObject([{ markdown: expect.stringContaining("could not be brought up") }]);
  expect(fake.warned.at(-1)).toContain("no longer exists after its update");
  expect(fake.published).toEqual({});
});

test("up publishes sessions of one name, in different components, by their URNs", async () => {
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

describe("a stack of another repository in the same backend", () => {
  test.each([
    ["up", (job: ReleasingJob) => bringUp(job, upOptions), [expect.stringContaining("could not be brought up")]],
    ["down", (job: ReleasingJob) => takeDown(job, downOptions), []],
    ["recover", (job: ReleasingJob) => recover(job, recoverOptions), []],
  ])("is refused by `%s` before anything is changed", async (_, run, comments) => {
    const fake = await openJob({}, ours);
    const session = await fake.make("pr-1", 60, "shop", theirs);
    const unlabelled = await fake.make("pr-1");
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", [session], [theirs]));
    await expect(run(fake.job)).rejects.toThrow(
      `pr-1 of the project shop holds sessions of another repository: ${theirs}, while this job works for ${ours}. ` +
        "It is left alone. Give the Pulumi project of each repository its own `name` in Pulumi.yaml.",
    );
    expect(fake.commands).toEqual([]);
    expect(fake.comments.map(({ markdown }) => markdown)).toEqual(comments);
    expect(fake.running()).toEqual(new Set([session, unlabelled]));
  });

  test("is told by the sweep, in a dry run as well, and left alone", async () => {
    const fake = await openJob({}, ours);
    fake.requests.set(1, { isOpen: false, updatedAt: new Date() });
    const session = await fake.make("pr-1", 60, "shop", theirs);
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", [session], [theirs]));
    for (const execute of [false, true]) {
      expect(await sweep(fake.job, { ...sweepOptions, execute })).toMatchObject({
        stacks: [{ stack: "pr-1", action: "failed", reason: expect.stringContaining(theirs) }],
        failures: [expect.stringContaining("Stack pr-1: ")],
      });
    }
    expect(fake.running()).toEqual(new Set([session]));
    expect(fake.commands).toEqual([]);
  });
});

describe("a stack whose state keeps the labels of its sessions secret as a whole", () => {
  const secretState = (sessionIds: readonly string[]): StackState => {
    const state = stateOf("shop", "pr-1", sessionIds);
    return { ...state, sessions: state.sessions.map((session) => ({ ...session, labels: secretText })) };
  };
  const runs: [string, (job: ReleasingJob) => Promise<unknown>][] = [
    ["up", (job) => bringUp(job, upOptions)],
    ["down", (job) => takeDown(job, downOptions)],
    ["recover", (job) => recover(job, recoverOptions)],
  ];

  test.each(runs)("is refused by `%s` when AGB says that they are another repository's", async (_, run) => {
    const fake = await openJob({}, ours);
    const session = await fake.make("pr-1", 60, "shop", theirs);
    fake.stacks.set("pr-1", secretState([session]));
    await expect(run(fake.job)).rejects.toThrow(`holds sessions of another repository: ${theirs}`);
    expect(fake.commands).toEqual([]);
    expect(fake.running()).toEqual(new Set([session]));
  });

  test.each(runs)("is used by `%s` when AGB says that they are this repository's, or gone", async (_, run) => {
    const fake = await openJob({}, ours);
    const session = await fake.make("pr-1", 60, "shop", ours);
    fake.stacks.set("pr-1", secretState([session, "session-that-is-gone"]));
    await run(fake.job);
    expect(fake.commands.length).toBeGreaterThan(0);
  });

  test.each(runs)("is left alone by `%s` when AGB does not answer, and the message says what to do", async (_, run) => {
    const fake = await openJob({}, ours);
    const session = await fake.make("pr-1", 60, "shop", ours);
    fake.stacks.set("pr-1", secretState([session]));
    fake.emulator.addFault({ operation: "GetLabel", answer: { status: 403 } });
    const { message } = await failureOf(run(fake.job));
    expect(message).toContain("Could not find out whose sessions pr-1 holds. The state keeps all their labels secret");
    expect(message).toContain("Check AGB_API_KEY and AGB_ENDPOINT, then run the job again.");
    expect(fake.commands).toEqual([]);
  });

  test("is examined by an `up`, which has no client, with the settings of the environment", async () => {
    const fake = await openJob({}, ours);
    setVariable("AGB_API_KEY", testKey);
    setVariable("AGB_ENDPOINT", fake.emulator.url);
    const session = await fake.make("pr-1", 60, "shop", theirs);
    fake.stacks.set("pr-1", secretState([session]));
    const { client: _, ...withoutClient } = fake.job;
    await expect(bringUp(withoutClient, upOptions)).rejects.toThrow(`another repository: ${theirs}`);
    expect(fake.commands).toEqual([]);
  });

  test("costs no call to AGB where another session of the stack shows its repository", async () => {
    const fake = await openJob({}, ours);
    const state = stateOf("shop", "pr-1", ["s-1", "s-2"], [ours, ours]);
    const sessions = state.sessions.map((session, index) =>
      index === 0 ? session : { ...session, labels: secretText },
    );
    fake.stacks.set("pr-1", { ...state, sessions: sessions as StackState["sessions"] });
    await bringUp(fake.job, upOptions);
    expect(fake.emulator.requestCounts()).toEqual({});
  });
});

describe("down", () => {
  test("that cannot look for other sessions changes the comment all the same, and fails", async () => {
    const { job, stacks, comments, emulator } = await openJob();
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    emulator.addFault({ operation: "ListSession", answer: { status: 403 } });
    await expect(takeDown(job, downOptions)).rejects.toThrow();
    expect(stacks.size).toBe(0);
    expect(comments).toMatchObject([{ markdown: expect.stringContaining("may still run until AGB releases them") }]);
  });

  test("without a stack here releases only this repository's sessions of a closed request, and warns", async () => {
    const fake = await openJob({}, ours);
    fake.requests.set(1, { isOpen: false, updatedAt: new Date() });
    const mine = await fake.make("pr-1", 0, "shop", ours);
    const others = await fake.make("pr-1", 60, "shop", theirs);
    const unknown = await fake.make("pr-1");
    const { exitCode, orphans } = await takeDown(fake.job, downOptions);
    expect(exitCode).toBe(0);
    expect(orphans).toMatchObject([
      { sessionId: unknown, action: "left", reason: expect.stringContaining("no state was read") },
      { sessionId: mine, action: "released" },
    ]);
    expect(fake.running()).toEqual(new Set([others, unknown]));
    expect(fake.warned).toEqual([expect.stringContaining("this job may have the wrong backend")]);
    expect(fake.comments).toEqual([]);
  });

  test.each([
    ["is open", { isOpen: true, updatedAt: new Date() }],
    ["cannot be asked for", new Error("no forge")],
  ])("without a stack here releases nothing when its request %s: it may be in another backend", async (_, answer) => {
    const fake = await openJob({}, ours);
    fake.requests.set(1, answer);
    const session = await fake.make("pr-1", 60, "shop", ours);
    expect((await takeDown(fake.job, downOptions)).orphans).toMatchObject([{ action: "left" }]);
    expect(fake.running()).toEqual(new Set([session]));
  });

  test.each([
    ["without a stack here", false],
    ["of a stack that was here", true],
  ])("%s leaves the sessions of another backend's stack of the same name", async (_, isHere) => {
    const fake = await openJob();
    if (isHere) {
      fake.stacks.set("pr-1", stateOf("shop", "pr-1", []));
    }
    const session = await fake.make("pr-1", 60, "shop", undefined, "fedcba9876543210");
    const earlier = await fake.make("pr-1", 60, "shop", undefined, "");
    const { orphans } = await takeDown(fake.job, downOptions);
    expect(orphans.map(({ action }) => action).sort()).toEqual(isHere ? ["foreign", "left"] : ["left", "left"]);
    expect(fake.running()).toEqual(new Set([session, earlier]));
  });

  test("releases sessions without a stack id when it is told to", async () => {
    const fake = await openJob({}, undefined);
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", []));
    await fake.make("pr-1", 60, "shop", undefined, "");
    await takeDown({ ...fake.job, includesUnidentified: true }, downOptions);
    expect(fake.running().size).toBe(0);
  });

  test("without a stack here leaves all when it does not know its repository", async () => {
    const fake = await openJob();
    const sessions = [await fake.make("pr-1"), await fake.make("pr-1", 60, "shop", theirs)];
    expect((await takeDown(fake.job, downOptions)).orphans.map(({ action }) => action)).toEqual(["left", "left"]);
    expect(fake.running()).toEqual(new Set(sessions));
  });

  test("of a stack that was here releases sessions without the label too, never another repository's", async () => {
    const fake = await openJob({}, ours);
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", []));
    await fake.make("pr-1", 0);
    const others = await fake.make("pr-1", 0, "shop", theirs);
    expect((await takeDown(fake.job, downOptions)).orphans).toMatchObject([{ action: "released" }]);
    expect(fake.running()).toEqual(new Set([others]));
    expect(fake.comments).toHaveLength(1);
  });

  test("by hand takes the repository from the state", async () => {
    const fake = await openJob();
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", ["s-1"], [ours]));
    await fake.make("pr-1", 0, "shop", ours);
    const others = await fake.make("pr-1", 0, "shop", theirs);
    await takeDown(fake.job, downOptions);
    expect(fake.running()).toEqual(new Set([others]));
  });

  test("leaves a stack of another project alone", async () => {
    const { job, stacks, commands, make, running } = await openJob();
    stacks.set("pr-1", stateOf("bank", "pr-1", ["s-1"]));
    const session = await make("pr-1");
    await expect(takeDown(job, downOptions)).rejects.toThrow("pr-1 is a stack of the project bank, not of shop");
    expect(commands).toEqual([]);
    expect(running()).toEqual(new Set([session]));
  });

  test("that fails releases nothing and says nothing on the request", async () => {
    const { job, stacks, comments, make, running } = await openJob({ destroy: async () => failed("error", 255) });
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    const session = await make("pr-1");
    expect(await takeDown(job, downOptions)).toMatchObject({ exitCode: 255 });
    expect(running()).toEqual(new Set([session]));
    expect(comments).toEqual([]);
  });

  test("of a stack that someone else removed meanwhile is a success", async () => {
    const { job, stacks } = await openJob({ destroy: async () => failed("error: no stack named 'pr-1' found", 255) });
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    stacks.get = () => undefined;
    expect(await takeDown(job, downOptions)).toMatchObject({ exitCode: 0 });
  });

  test("leaves the sessions of a stack that is made again at the same time", async () => {
    const fake = await openJob({ destroy: async () => done });
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", []));
    const session = await fake.make("pr-1", 0);
    expect(await takeDown(fake.job, downOptions)).toMatchObject({ exitCode: 0, orphans: [] });
    expect(fake.running()).toEqual(new Set([session]));
    expect(fake.said).toContain("pr-1 exists again; its sessions are left.");
  });

  test("changes a comment but makes none, and can do without", async () => {
    const { job, comments, warned } = await openJob();
    await takeDown(job, downOptions);
    expect(comments).toEqual([{ request: 1, markdown: expect.stringContaining("is gone"), mode: "replace" }]);
    job.forge.writeComment = () => Promise.reject(new Error("HTTP 500"));
    expect(await takeDown(job, downOptions)).toMatchObject({ exitCode: 0 });
    expect(warned).toEqual(["The comment was not updated: HTTP 500"]);
  });
});

describe("recover", () => {
  test("does nothing when no run was cut off here: the lock is that of a run that lives", async () => {
    const { job, stacks, commands, said, make, running } = await openJob();
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    const session = await make("pr-1", 0);
    expect(await recover(job, { request: 1, force: false })).toEqual([]);
    expect(commands).toEqual([]);
    expect(said).toEqual(["No run on pr-1 was cut off here, so there is nothing to recover."]);
    expect(running()).toEqual(new Set([session]));
  });

  test("after a run that was cut off ends its Pulumi before it takes the lock, and forgets it at last", async () => {
    const { job, stacks, commands, cutOff, said, make, running } = await openJob();
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    await make("pr-1", 0);
    cutOff.set("pr-1", {
      pid: 4711,
      end: async () => {
        expect(commands).toEqual([]);
        return "ended";
      },
      forget: () => {
        expect(running().size).toBe(0);
        cutOff.clear();
      },
    });
    expect(await recover(job, { request: 1, force: false })).toMatchObject([{ action: "released" }]);
    expect(commands).toEqual(["cancel pr-1"]);
    expect(said[0]).toBe("The Pulumi of the run on pr-1 (pid 4711) was still running. It has ended now.");
    expect(cutOff.size).toBe(0);
  });

  describe("after a run that was cut off", () => {
    const lockedBy = (...holders: string[]) =>
      failed(
        "error: the stack is currently locked by 1 lock(s).\n" +
          holders.map((holder) => `  s3://b/x.json: created by ${holder} at 2026-11-22T20:00:00Z`).join("\n"),
      );
    const cutOffRun = { pid: 4711, end: async () => "had ended" as const, forget: () => undefined };

    test.each([
      ["on this machine", `root@${hostname()} (pid ${process.pid})`],
      ["on another machine", "root@elsewhere (pid 4711)"],
    ])("leaves the lock of another run %s, and what that run makes", async (_, holder) => {
      const fake = await openJob({ tryLock: async () => lockedBy(holder) });
      fake.stacks.set("pr-1", stateOf("shop", "pr-1", []));
      fake.cutOff.set("pr-1", cutOffRun);
      const session = await fake.make("pr-1", 0);
      const { message } = await failureOf(recover(fake.job, { request: 1, force: false }));
      expect(message).toContain(`pr-1 is locked (run of ${holder} at 2026-11-22T20:00:00Z), and not by the Pulumi`);
      expect(message).toContain("Wait until that run has ended, then run `recover` again. If it is dead, add --force.");
      expect(fake.commands).toEqual([]);
      expect(fake.running()).toEqual(new Set([session]));
      await recover(fake.job, { request: 1, force: true });
      expect(fake.commands).toEqual(["cancel pr-1"]);
    });

    test.each([
      ["its own", lockedBy(`root@${hostname()} (pid 4711)`)],
      ["not named by the backend", failed("error: [409] Conflict: Another update is currently in progress.", 255)],
      ["not held", failed("error: a stack named pr-1 already exists")],
    ])("frees the lock when it is %s", async (_, result) => {
      const fake = await openJob({ tryLock: async () => result });
      fake.stacks.set("pr-1", stateOf("shop", "pr-1", []));
      fake.cutOff.set("pr-1", cutOffRun);
      await fake.make("pr-1", 0);
      expect(await recover(fake.job, { request: 1, force: false })).toMatchObject([{ action: "released" }]);
      expect(fake.commands).toEqual(["cancel pr-1"]);
    });
  });

  test("touches nothing when that Pulumi cannot be ended", async () => {
    const { job, commands, cutOff, make, running } = await openJob();
    await make("pr-1", 0);
    cutOff.set("pr-1", { pid: 4711, end: async () => "cannot be ended", forget: () => cutOff.clear() });
    await expect(recover(job, recoverOptions)).rejects.toThrow("is still running and cannot be ended");
    expect(commands).toEqual([]);
    expect(running().size).toBe(1);
    expect(cutOff.size).toBe(1);
  });

  test("goes on when there is nothing to cancel, and keeps what the state knows", async () => {
    const { job, stacks, said, make, running } = await openJob({
      cancel: async () => failed("error: [409] Conflict: The update has already completed"),
    });
    const known = await make("pr-1", 0);
    stacks.set("pr-1", stateOf("shop", "pr-1", [known]));
    const orphan = await make("pr-1", 0);
    const other = await make("pr-11", 0);
    expect(await recover(job, recoverOptions)).toMatchObject([{ sessionId: orphan, action: "released" }]);
    expect(said[0]).toContain("Nothing was cancelled: error: [409] Conflict");
    expect(running()).toEqual(new Set([known, other]));
  });

  test("of a request without a stack is a success and releases nothing", async () => {
    const { job, said, commands, make, running } = await openJob({}, ours);
    const sessions = [await make("pr-1"), await make("pr-1", 60, "shop", ours)];
    expect(await recover(job, recoverOptions)).toEqual([]);
    expect(said).toEqual(["There is no stack pr-1; nothing is released."]);
    expect(commands).toEqual([]);
    expect(running()).toEqual(new Set(sessions));
  });

  test("keeps another repository's sessions", async () => {
    const { job, stacks, make, running } = await openJob({}, ours);
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    const others = await make("pr-1", 60, "shop", theirs);
    const orphans = [await make("pr-1", 0, "shop", ours), await make("pr-1", 0)];
    expect(new Set((await recover(job, recoverOptions)).map(({ sessionId }) => sessionId))).toEqual(new Set(orphans));
    expect(running()).toEqual(new Set([others]));
  });

  test("keeps the sessions when the stack goes away meanwhile", async () => {
    const { job, stacks, make, running } = await openJob();
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    const session = await make("pr-1");
    job.pulumi.cancel = async () => (stacks.delete("pr-1") ? done : failed("", 6));
    expect(await recover(job, recoverOptions)).toEqual([]);
    expect(running()).toEqual(new Set([session]));
  });

  test("releases nothing when the state cannot be read", async () => {
    const { job, make, running } = await openJob({ exportState: () => Promise.reject(new Error("no backend")) });
    await make("pr-1");
    await expect(recover(job, recoverOptions)).rejects.toThrow("no backend");
    expect(running().size).toBe(1);
  });
});

describe("the sweep", () => {
  const nowMs = Date.UTC(2026, 10, 22);
  const dayMs = 86_400_000;

  test.each([
    [true, 0, undefined, "keep"],
    [true, 400, undefined, "keep"],
    [true, 2.9, 3, "keep"],
    [true, 3, 3, "remove"],
    [false, 0, undefined, "remove"],
    [false, 0, 3, "remove"],
  ])("takes a request (open: %s, untouched for %s days, limit %s) for one to %s", (isOpen, days, idleDays, fate) => {
    const updatedAt = new Date(nowMs - days * dayMs);
    expect(decideFate({ isOpen, updatedAt }, idleDays, nowMs).fate).toBe(fate);
  });

  test("keeps the sessions of a stack that was not found when its request is open: it may be in another backend", async () => {
    const { job, requests, said, clock, make, running } = await openJob();
    requests.set(1, { isOpen: true, updatedAt: new Date(clock.now()) });
    const session = await make("pr-1");
    const result = await sweep(job, sweepOptions);
    expect(result).toMatchObject({
      stacks: [],
      sessions: [{ sessionId: session, action: "left", reason: "its stack was not found, and its request is open" }],
      failures: [],
    });
    expect(somethingIsLeft(result)).toBe(true);
    expect(said).toEqual([
      expect.stringMatching(`^left: ${session} .*: its stack was not found, and its request is open$`),
    ]);
    expect(running()).toEqual(new Set([session]));
  });

  test("goes on with the others when one stack cannot be removed, and tells", async () => {
    const fake = await openJob();
    const { job, stacks, requests, clock } = fake;
    for (const request of [1, 2]) {
      requests.set(request, { isOpen: false, updatedAt: new Date(clock.now()) });
      stacks.set(`pr-${request}`, stateOf("shop", `pr-${request}`, []));
    }
    const { destroy } = job.pulumi;
    job.pulumi.destroy = async (stack) => (stack === "pr-1" ? failed("error", 1) : destroy(stack));
    expect(await sweep(job, sweepOptions)).toMatchObject({
      stacks: [
        { stack: "pr-1", action: "failed" },
        { stack: "pr-2", action: "removed" },
      ],
      failures: ["Stack pr-1: pulumi destroy ended with exit code 1"],
    });
  });

  test("asks the forge once for each request", async () => {
    const { job, requests, stacks, clock, make } = await openJob();
    const asked: number[] = [];
    const { readRequest } = job.forge;
    job.forge.readRequest = (request) => {
      asked.push(request);
      return readRequest(request);
    };
    requests.set(1, { isOpen: false, updatedAt: new Date(clock.now()) });
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    await make("pr-1", 1);
    await make("pr-2");
    await make("pr-2");
    await sweep(job, sweepOptions);
    expect(asked).toEqual([1, 2]);
  });

  test("says that a clean-up path is broken when it reclaimed something, and only then", async () => {
    const { job, requests, clock, make, warned, summaries } = await openJob({}, ours);
    await sweep(job, sweepOptions);
    expect(warned).toEqual([]);
    requests.set(1, { isOpen: false, updatedAt: new Date(clock.now()) });
    await make("pr-1", 60, "shop", ours);
    await sweep({ ...job }, { ...sweepOptions, execute: false });
    expect(warned).toEqual([]);
    await sweep(job, sweepOptions);
    expect(warned).toEqual([expect.stringMatching(/^The sweep removed 0 stacks and released 1 sessions/)]);
    expect(summaries).toHaveLength(3);
  });

  test("releases what a request left that renamed the project, once it is closed", async () => {
    const { job, requests, clock, make, running, said } = await openJob({}, ours);
    requests.set(1, { isOpen: false, updatedAt: new Date(clock.now()) });
    requests.set(2, { isOpen: true, updatedAt: new Date(clock.now() - 10 * dayMs) });
    const renamed = await make("pr-1", 60, "renamed", ours);
    const kept = [
      await make("pr-1", 1, "renamed", ours),
      await make("pr-2", 60, "renamed", ours),
      await make("production", 60, "renamed", ours),
      await make("pr-1", 60, "renamed", theirs),
      await make("pr-1", 60, "renamed"),
    ];
    const dry = await sweep(job, { ...sweepOptions, execute: false });
    expect(dry.sessions.map(({ action }) => action)).toEqual(["left", "would release"]);
    const result = await sweep(job, { ...sweepOptions, idleDays: 3 });
    expect(result).toMatchObject({
      stacks: [],
      sessions: [
        { sessionId: kept[0], action: "left", reason: expect.stringMatching(/^it is younger than 10 minutes /) },
        { sessionId: renamed, stack: "pr-1", action: "released" },
      ],
      failures: [],
    });
    expect(said).toContainEqual(expect.stringMatching(/^released: .* \(of the project renamed\)$/));
    expect(running()).toEqual(new Set(kept));
  });

  test.each([ours, undefined])(
    "leaves sessions without a repository whose stack is not here, when its own repository is %s",
    async (repository) => {
      const { job, requests, clock, make, running } = await openJob({}, repository);
      requests.set(1, { isOpen: false, updatedAt: new Date(clock.now()) });
      const session = await make("pr-1");
      expect(somethingIsLeft(await sweep(job, sweepOptions))).toBe(true);
      expect(running()).toEqual(new Set([session]));
    },
  );

  test("is not bothered by another repository's requests that this one does not have", async () => {
    const { job, make, running } = await openJob({}, ours);
    await make("pr-7", 60, "shop", theirs);
    expect(await sweep(job, sweepOptions)).toEqual({ stacks: [], sessions: [], failures: [] });
    expect(running().size).toBe(1);
  });

  const world = fc.record({
    repository: fc.constantFrom(ours, ours, undefined),
    stacks: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom("pr-1", "pr-2", "pr-3", "pr-4", "production", "pr-x", "other/pr-1"),
        isForeign: fc.boolean(),
      }),
      { selector: ({ name }) => name },
    ),
    requests: fc.array(fc.constantFrom("open", "closed", "unknown", "stale"), { minLength: 4, maxLength: 4 }),
    sessions: fc.array(
      fc.record({
        stack: fc.constantFrom("pr-1", "pr-2", "pr-3", "pr-4", "production", "pr-x"),
        project: fc.constantFrom("shop", "shop", "shop", "bank"),
        minutesOld: fc.constantFrom(0, 5, 15, 60),
        isKnown: fc.boolean(),
        repository: fc.constantFrom(ours, ours, theirs, undefined),
        // Another backend's stack of the same name has another id, and an earlier version gave none.
        stackId: fc.constantFrom("own", "own", "fedcba9876543210", ""),
      }),
      { maxLength: 8 },
    ),
    execute: fc.boolean(),
    idleDays: fc.constantFrom(undefined, 3),
  });

  test("whatever there is, it touches nothing that is not certain to be left over", async () => {
    const emulator = await startTestEmulator();
    const client = openClient(emulator.url);
    await fc.assert(
      fc.asyncProperty(world, async ({ repository, stacks, requests, sessions, execute, idleDays }) => {
        await emulator.reset();
        const fake = openFakeJob({}, { client, repository });
        const { job, clock } = fake;
        const { make, running } = sessionsIn(emulator, clock.now());
        for (const [index, state] of requests.entries()) {
          const daysAgo = state === "stale" ? 10 : 1;
          const answer = { isOpen: state !== "closed", updatedAt: new Date(clock.now() - daysAgo * dayMs) };
          fake.requests.set(index + 1, state === "unknown" ? new Error("HTTP 404") : answer);
        }
        const made: ((typeof sessions)[number] & { readonly id: string })[] = [];
        for (const session of sessions) {
          made.push({
            ...session,
            id: await make(
              session.stack,
              session.minutesOld,
              session.project,
              session.repository,
              session.stackId === "own" ? undefined : session.stackId,
            ),
          });
        }
        for (const { name, isForeign } of stacks) {
          const known = made.filter(({ stack, project, isKnown }) => stack === name && project === "shop" && isKnown);
          const repositories = known.map((session) => session.repository);
          const ids = known.map(({ id }) => id);
          fake.stacks.set(name, isForeign ? stateOf("bank", name, []) : stateOf("shop", name, ids, repositories));
        }
        const destroy = job.pulumi.destroy;
        job.pulumi.destroy = async (stack) => {
          for (const id of fake.stacks.get(stack)?.sessionIds ?? []) {
            await emulator.release(id);
          }
          return destroy(stack);
        };
        const before = running();
        const stacksBefore = new Map(fake.stacks);

        const result = await sweep(job, { ...sweepOptions, execute, idleDays });

        const isOver = (stack: string) => {
          const state = requests[Number(stack.slice(3)) - 1];
          return state === "closed" || (state === "stale" && idleDays !== undefined);
        };
        // The repositories that a state names, and whether it is another one's.
        const namedIn = (name: string) =>
          new Set(
            made.flatMap((session) =>
              session.stack === name && session.project === "shop" && session.isKnown ? (session.repository ?? []) : [],
            ),
          );
        const isOurs = (name: string) =>
          stacksBefore.get(name)?.name?.project === "shop" && !(repository !== undefined && namedIn(name).has(theirs));
        for (const name of stacksBefore.keys()) {
          const mayGo = execute && isOver(name) && /^pr-\d$/.test(name) && isOurs(name);
          expect(fake.stacks.has(name)).toBe(!mayGo);
        }
        for (const session of made) {
          const { id, stack, project, minutesOld, isKnown } = session;
          const isHere = stacksBefore.has(stack);
          const [named, ...more] = namedIn(stack);
          const worker = repository ?? (isHere && more.length === 0 ? named : undefined);
          const isClosed = requests[Number(stack.slice(3)) - 1] === "closed";
          const isOfClosedRequest = isClosed && repository !== undefined && session.repository === repository;
          const isOfWorker = session.repository === undefined || session.repository === worker;
          const isIdentified = isHere && session.stackId === "own";
          const isTakenDown =
            isOurs(stack) && isOver(stack) && (isKnown || (isOfWorker && (isIdentified || isOfClosedRequest)));
          const isInDoubt = requests[Number(stack.slice(3)) - 1] === "unknown";
          const isOrphan =
            minutesOld >= 10 &&
            !isInDoubt &&
            isOfWorker &&
            (isHere ? isOurs(stack) && !isKnown && isIdentified : isOfClosedRequest);
          const isOfRenamed = minutesOld >= 10 && isOfClosedRequest;
          const isLeftOver = project === "shop" ? isTakenDown || isOrphan : isOfRenamed;
          const mayGo = execute && /^pr-\d$/.test(stack) && isLeftOver;
          expect([session, running().has(id)]).toEqual([session, !mayGo]);
          // Said once more, plainly: only the id of a state that was read, or a closed request of this repository, gives the
          // right to release, and nobody touches what another repository has put its name on.
          expect(isKnown || isIdentified || isOfClosedRequest || running().has(id)).toBe(true);
          expect(session.repository !== theirs || repository === undefined || running().has(id)).toBe(true);
        }
        if (!execute) {
          expect(running()).toEqual(before);
          expect(fake.commands).toEqual([]);
        }
        const ownStacks = made
          .filter((session) => session.project === "shop" || (repository && session.repository === repository))
          .filter((session) => repository === undefined || session.repository !== theirs)
          .map(({ stack }) => stack);
        const isDoubtful = [...stacksBefore.keys(), ...ownStacks].some(
          (stack) => requests[Number(stack.slice(3)) - 1] === "unknown" && /^pr-\d$/.test(stack),
        );
        // Doubt is told; it can also come from a stack of another project.
        expect(result.failures.length > 0 || !isDoubtful).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
