// Whose stack a preview job may touch. AGB is the emulator; the engine and the forge are fake.

import { takeDown } from "../../provider/previews/down";
import type { ReleasingJob } from "../../provider/previews/job";
import { recover } from "../../provider/previews/recover";
import { sweep } from "../../provider/previews/sweep";
import { bringUp } from "../../provider/previews/up";
import { type StackState, secretText } from "../../provider/pulumi/stack-state";
import { openClient } from "../support/agb-client";
import {
  downOptions,
  openJob,
  ours,
  recoverOptions,
  sweepOptions,
  theirs,
  upOptions,
} from "../support/emulated-preview-job";
import { openFakeJob, stateOf } from "../support/fake-preview-job";
import { providerId } from "../support/plugin-client";
import { createResource, openPluginStack } from "../support/plugin-stack";
import { failureOf } from "../support/session-stack";
import { sweepById } from "../support/sweep-command";

describe("a stack of another repository in the same backend", () => {
  test.each([
    [
      "up",
      (job: ReleasingJob) => bringUp(job, upOptions),
      [expect.stringContaining("could not be created or updated")],
    ],
    ["down", (job: ReleasingJob) => takeDown(job, downOptions), []],
    ["recover", (job: ReleasingJob) => recover(job, recoverOptions), []],
  ])("is refused by `%s` before anything is changed", async (_, run, comments) => {
    const fake = await openJob({}, ours);
    const session = await fake.make("pr-1", 60, "shop", theirs);
    const unlabelled = await fake.make("pr-1");
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", [session], [theirs]));
    await expect(run(fake.job)).rejects.toThrow(
      `pr-1 of the project shop holds sessions of another repository: ${theirs}. This job works for ${ours}, so nothing ` +
        "was changed. Give the Pulumi project of each repository its own `name` in Pulumi.yaml.",
    );
    expect(fake.commands).toEqual([]);
    expect(fake.comments.map(({ markdown }) => markdown)).toEqual(comments);
    expect(fake.running()).toEqual(new Set([session, unlabelled]));
  });

  test("is reported by the sweep, also in a dry run, and left alone", async () => {
    const fake = await openJob({}, ours);
    fake.requests.set(1, { isOpen: false, updatedAt: new Date() });
    const session = await fake.make("pr-1", 60, "shop", theirs);
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", [session], [theirs]));
    for (const execute of [false, true]) {
      expect(await sweep(fake.job, { ...sweepOptions, execute })).toMatchObject({
        stacks: [{ stack: "pr-1", action: "failed", reason: expect.stringContaining(theirs) }],
        failures: [{ text: expect.stringContaining("Stack pr-1: "), code: "AGB722" }],
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
    expect(message).toContain("Could not find out whose sessions pr-1 holds, so nothing was changed.");
    expect(message).toContain("Check AGB_API_KEY and AGB_ENDPOINT, then run the job again.");
    expect(fake.commands).toEqual([]);
  });

  test("is left alone by an `up` that can open no client, and the message says what to do", async () => {
    const fake = await openJob({}, ours);
    fake.stacks.set("pr-1", secretState(["session-1"]));
    const withClient = async () => {
      throw new Error("No AGB API key.");
    };
    const { message } = await failureOf(bringUp({ ...fake.job, withClient }, upOptions));
    expect(message).toContain("AGB did not return them: No AGB API key. Check AGB_API_KEY");
    expect(fake.commands).toEqual([]);
  });

  test("needs no call to AGB when another session of the stack shows its repository", async () => {
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

describe("sessions of a plugin stack", () => {
  const urn = "urn:pulumi:pr-1::shop::agb:index:Session::web";
  const imageId = "agb-code-space-1";

  /** A stack whose plugin has this setting, with a session that its state knows and one that it does not. */
  async function openPreview(repository: string) {
    const { plugin, emulator } = await openPluginStack({ repository });
    const known = await createResource(plugin, urn, { imageId });
    const orphan = await createResource(plugin, urn, { imageId });
    const state = stateOf("shop", "pr-1", [known.id], [], "plugin");
    const sessions = state.sessions.map((session) => ({
      ...session,
      labels: known.outputs["labelsAll"] as Record<string, string>,
    }));
    const fake = openFakeJob({}, { client: openClient(emulator.url), repository: ours });
    fake.stacks.set("pr-1", { ...state, sessions, providerIds: new Set([providerId]) });
    const running = () => emulator.sessions().map(({ sessionId }) => sessionId);
    return { fake, known, orphan, running, emulator };
  }

  test("carry the repository of the setting, and `down` releases those that the state does not know", async () => {
    const { fake, known, orphan, running, emulator } = await openPreview(ours);
    for (const { labels } of emulator.sessions()) {
      expect(labels).toMatchObject({ "pulumi-repository": ours, "pulumi-stack": "pr-1" });
    }
    const { orphans } = await takeDown(fake.job, downOptions);
    const results = orphans.map(({ sessionId, action }) => [sessionId, action]);
    expect(new Map(results as [string, string][])).toEqual(
      // The fake engine has removed the stack without its session.
      new Map([known.id, orphan.id].map((id) => [id, "released"])),
    );
    expect(running()).toEqual([]);
  });

  test("of another repository are left by `down` and by `sweep`", async () => {
    const { fake, known, orphan, running, emulator } = await openPreview(theirs);
    await expect(takeDown(fake.job, downOptions)).rejects.toThrow(`holds sessions of another repository: ${theirs}`);
    const name = { project: "shop", stack: "pr-1" };
    const { orphans } = await sweepById(emulator.url, { name, stackIds: [providerId], repository: ours });
    expect(orphans.map(({ action }) => action)).toEqual(["left", "left"]);
    expect(running().sort()).toEqual([known.id, orphan.id].sort());
  });
});
