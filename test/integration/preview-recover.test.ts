// What `preview-environment recover` decides. AGB is the emulator; the engine and the forge are fake.

import { hostname } from "node:os";
import { recover } from "../../provider/previews/recover";
import { openJob, ours, recoverOptions, theirs } from "../support/emulated-preview-job";
import { done, failed, stateOf } from "../support/fake-preview-job";
import { hosts } from "../support/resource-hosts";
import { failureOf } from "../support/session-stack";

describe("recover", () => {
  test("does nothing when no run was cut off here: the lock belongs to an active run", async () => {
    const { job, stacks, commands, said, make, running } = await openJob();
    stacks.set("pr-1", stateOf("shop", "pr-1", []));
    const session = await make("pr-1", 0);
    expect(await recover(job, { request: 1, force: false })).toEqual([]);
    expect(commands).toEqual([]);
    expect(said).toEqual(["No run on pr-1 was cut off here, so there is nothing to recover."]);
    expect(running()).toEqual(new Set([session]));
  });

  test.each(hosts)(
    "after a run that was cut off ends its Pulumi, takes the lock and removes the note: %s",
    async (host) => {
      const { job, stacks, commands, cutOff, said, make, running } = await openJob();
      stacks.set("pr-1", stateOf("shop", "pr-1", [], [], host));
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
      expect(said[0]).toBe("The Pulumi process of the run on pr-1 (pid 4711) was still running. It has ended now.");
      expect(cutOff.size).toBe(0);
    },
  );

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
    ])("leaves the lock of another run %s, and the sessions that it creates", async (_, holder) => {
      const fake = await openJob({ tryLock: async () => lockedBy(holder) });
      fake.stacks.set("pr-1", stateOf("shop", "pr-1", []));
      fake.cutOff.set("pr-1", cutOffRun);
      const session = await fake.make("pr-1", 0);
      const { message } = await failureOf(recover(fake.job, { request: 1, force: false }));
      expect(message).toContain(
        `pr-1 is locked by another run than the one that was cut off here: by run of ${holder} at 2026-11-22T20:00:00Z`,
      );
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
    await expect(recover(job, recoverOptions)).rejects.toThrow("is still running and could not be ended");
    expect(commands).toEqual([]);
    expect(running().size).toBe(1);
    expect(cutOff.size).toBe(1);
  });

  test("continues when there is nothing to cancel, and keeps what the state knows", async () => {
    const { job, stacks, said, make, running } = await openJob({
      cancel: async () => failed("error: [409] Conflict: The update has already completed"),
    });
    const known = await make("pr-1", 0);
    stacks.set("pr-1", stateOf("shop", "pr-1", [known]));
    const orphan = await make("pr-1", 0);
    const other = await make("pr-11", 0);
    expect(await recover(job, recoverOptions)).toMatchObject([{ sessionId: orphan, action: "released" }]);
    expect(said[0]).toContain("No lock was removed: error: [409] Conflict");
    expect(running()).toEqual(new Set([known, other]));
  });

  test("of a request without a stack succeeds and releases nothing", async () => {
    const { job, said, commands, make, running } = await openJob({}, ours);
    const sessions = [await make("pr-1"), await make("pr-1", 60, "shop", ours)];
    expect(await recover(job, recoverOptions)).toEqual([]);
    expect(said).toEqual(["There is no stack pr-1. Nothing was released."]);
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

  test("keeps the sessions when the stack is removed meanwhile", async () => {
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
