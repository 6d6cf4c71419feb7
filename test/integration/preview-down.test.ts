// What `preview-environment down` decides. AGB is the emulator; the engine and the forge are fake.

import { takeDown } from "../../provider/previews/down";
import { downOptions, openJob, ours, theirs } from "../support/emulated-preview-job";
import { done, exportWithContexts, failed, stateOf } from "../support/fake-preview-job";
import { hosts } from "../support/resource-hosts";

describe("down", () => {
  test("that cannot look for other sessions still updates the comment, and fails", async () => {
    const { job, stacks, comments, emulator } = await openJob();
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    emulator.addFault({ operation: "ListSession", answer: { status: 403 } });
    await expect(takeDown(job, downOptions)).rejects.toThrow();
    expect(stacks.size).toBe(0);
    expect(comments).toMatchObject([{ markdown: expect.stringContaining("may run until AGB releases them") }]);
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
    expect(fake.warned).toEqual([expect.stringContaining("This job may use the wrong backend")]);
    expect(fake.comments).toEqual([]);
  });

  test.each([
    ["is open", { isOpen: true, updatedAt: new Date() }],
    ["cannot be read", new Error("no forge")],
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

  test("releases sessions without a stack id when the user asks for it", async () => {
    const fake = await openJob({}, undefined);
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", []));
    await fake.make("pr-1", 60, "shop", undefined, "");
    await takeDown({ ...fake.job, includesUnidentified: true }, downOptions);
    expect(fake.running().size).toBe(0);
  });

  test("without a stack here leaves all sessions when it does not know its repository", async () => {
    const fake = await openJob();
    const sessions = [await fake.make("pr-1"), await fake.make("pr-1", 60, "shop", theirs)];
    expect((await takeDown(fake.job, downOptions)).orphans.map(({ action }) => action)).toEqual(["left", "left"]);
    expect(fake.running()).toEqual(new Set(sessions));
  });

  test.each(hosts)(
    "of a stack that was here releases unlabelled sessions, never another repository's: %s",
    async (host) => {
      const fake = await openJob({}, ours);
      fake.stacks.set("pr-1", stateOf("shop", "pr-1", [], [], host));
      await fake.make("pr-1", 0);
      const others = await fake.make("pr-1", 0, "shop", theirs);
      expect((await takeDown(fake.job, downOptions)).orphans).toMatchObject([{ action: "released" }]);
      expect(fake.running()).toEqual(new Set([others]));
      expect(fake.comments).toHaveLength(1);
    },
  );

  test.each(hosts)("by hand takes the repository from the state: %s", async (host) => {
    const fake = await openJob();
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", ["s-1"], [ours], host));
    await fake.make("pr-1", 0, "shop", ours);
    const others = await fake.make("pr-1", 0, "shop", theirs);
    await takeDown(fake.job, downOptions);
    expect(fake.running()).toEqual(new Set([others]));
  });

  test("does not touch a stack of another project", async () => {
    const { job, stacks, commands, make, running } = await openJob();
    stacks.set("pr-1", stateOf("bank", "pr-1", ["s-1"]));
    const session = await make("pr-1");
    await expect(takeDown(job, downOptions)).rejects.toThrow("pr-1 belongs to the project bank, not to shop");
    expect(commands).toEqual([]);
    expect(running()).toEqual(new Set([session]));
  });

  test("that fails releases nothing and leaves the comment unchanged", async () => {
    const { job, stacks, comments, make, running } = await openJob({ destroy: async () => failed("error", 255) });
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    const session = await make("pr-1");
    expect(await takeDown(job, downOptions)).toMatchObject({ exitCode: 255 });
    expect(running()).toEqual(new Set([session]));
    expect(comments).toEqual([]);
  });

  test.each(hosts)(
    "leaves contexts to Pulumi: it releases orphans, and calls AGB about no context: %s",
    async (host) => {
      const fake = await openJob({}, ours);
      fake.stacks.set("pr-1", exportWithContexts(stateOf("shop", "pr-1", [], [], host), ["SdkCtx-1"]));
      const orphan = await fake.make("pr-1", 0, "shop", ours);
      expect(await takeDown(fake.job, downOptions)).toMatchObject({
        exitCode: 0,
        orphans: [{ sessionId: orphan, action: "released" }],
      });
      expect(fake.commands).toEqual(["destroy pr-1"]);
      expect(Object.keys(fake.emulator.requestCounts()).filter((operation) => /context/i.test(operation))).toEqual([]);
    },
  );

  test("fails while a context holds files: the stack, its comment and its sessions stay, and the next one finishes", async () => {
    const stderr = "error: context files holds 3 files. Set forceDestroy: true, or retainOnDelete to keep it.";
    const fake = await openJob({}, ours);
    const { destroy } = fake.job.pulumi;
    fake.job.pulumi.destroy = async () => failed(stderr, 255);
    fake.stacks.set("pr-1", exportWithContexts(stateOf("shop", "pr-1", []), ["SdkCtx-1"]));
    const orphan = await fake.make("pr-1", 0, "shop", ours);
    expect(await takeDown(fake.job, downOptions)).toMatchObject({ exitCode: 255, hadStack: true, orphans: [] });
    expect(fake.comments).toEqual([]);
    expect(fake.running()).toEqual(new Set([orphan]));
    fake.job.pulumi.destroy = destroy;
    expect(await takeDown(fake.job, downOptions)).toMatchObject({ exitCode: 0, orphans: [{ sessionId: orphan }] });
    expect(fake.running().size).toBe(0);
  });

  test("of a stack that someone else removed meanwhile succeeds", async () => {
    const { job, stacks } = await openJob({ destroy: async () => failed("error: no stack named 'pr-1' found", 255) });
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    stacks.get = () => undefined;
    expect(await takeDown(job, downOptions)).toMatchObject({ exitCode: 0 });
  });

  test("leaves the sessions of a stack that is recreated at the same time", async () => {
    const fake = await openJob({ destroy: async () => done });
    fake.stacks.set("pr-1", stateOf("shop", "pr-1", []));
    const session = await fake.make("pr-1", 0);
    expect(await takeDown(fake.job, downOptions)).toMatchObject({ exitCode: 0, orphans: [] });
    expect(fake.running()).toEqual(new Set([session]));
    expect(fake.said).toContain("pr-1 exists again. Its sessions are left.");
  });

  test("updates a comment but creates none, and succeeds when that fails", async () => {
    const { job, comments, warned } = await openJob();
    await takeDown(job, downOptions);
    expect(comments).toEqual([{ request: 1, markdown: expect.stringContaining("is gone"), mode: "replace" }]);
    job.forge.writeComment = () => Promise.reject(new Error("HTTP 500"));
    expect(await takeDown(job, downOptions)).toMatchObject({ exitCode: 0 });
    expect(warned).toEqual(["Could not update the comment: HTTP 500"]);
  });
});
