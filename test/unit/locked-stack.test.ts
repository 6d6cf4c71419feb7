import { hostname } from "node:os";
import { CodedError } from "../../provider/messages/coded-error";
import { whenUnlocked } from "../../provider/previews/locked-stack";
import type { CommandResult } from "../../provider/pulumi/pulumi-process";
import { areHoldersDead, lockHolders } from "../../provider/pulumi/stack-lock";
import { done, failed, openFakeJob, stateOf } from "../support/fake-preview-job";

/** What the CLI prints when a lock is there, in backends of files and buckets. */
function locked(...owners: string[]): CommandResult {
  const lines = owners.map(
    (owner) => `  file:///b/.pulumi/locks/${owner}.json: created by ${owner} at 2026-11-22T20:00:00Z`,
  );
  return failed(
    `error: the stack is currently locked by ${owners.length} lock(s). Either wait for the other process(es) to end ` +
      `or delete the lock file with \`pulumi cancel\`.\n${lines.join("\n")}\n`,
  );
}

const conflict = failed(
  "error: [409] Conflict: Another update is currently in progress.\nTo learn more about possible reasons and resolution, visit https://www.pulumi.com/docs/",
  255,
);

/** Runs a command that returns one result after the other, then the last one again and again. */
async function attempt(results: readonly CommandResult[], waitMs = 10_000) {
  const fake = openFakeJob();
  let attempts = 0;
  const result = await whenUnlocked(fake.job, "pr-1", waitMs, async () => {
    attempts += 1;
    // biome-ignore lint/style/noNonNullAssertion: there is at least one
    return results[Math.min(attempts, results.length) - 1]!;
  }).catch((error: Error) => error);
  return { ...fake, attempts, result };
}

test("holders of a lock are read from what the CLI prints", () => {
  expect(lockHolders(locked("root@a (pid 1)", "root@b (pid 2)").stderr)).toEqual([
    "run of root@a (pid 1) at 2026-11-22T20:00:00Z",
    "run of root@b (pid 2) at 2026-11-22T20:00:00Z",
  ]);
  expect(lockHolders(conflict.stderr)).toEqual(["another run"]);
  expect(lockHolders("error: no stack named 'pr-1' found")).toEqual([]);
});

test("a command that succeeds, or fails for another reason, is returned immediately", async () => {
  const refusal = failed("error: it is broken");
  expect(await attempt([done])).toMatchObject({ result: done, attempts: 1, said: [], commands: [] });
  expect(await attempt([refusal])).toMatchObject({ result: refusal, attempts: 1, said: [], commands: [] });
});

test.each([
  ["files", locked("root@a (pid 1)")],
  ["Pulumi Cloud", conflict],
])("a lock of %s that is freed in time is waited for, and reported once", async (_, lock) => {
  const { result, commands, said, clock } = await attempt([lock, lock, lock, done]);
  expect(result).toBe(done);
  expect(commands).toEqual([]);
  expect(said).toEqual([expect.stringMatching(/^pr-1 is locked \(.*run.*\)\. Waiting up to 10 seconds\.$/)]);
  expect(clock.sleeps).toEqual([3_000, 3_000, 3_000]);
});

test("a lock that stays is removed once the wait is over", async () => {
  const lock = locked("root@a (pid 1)");
  const { result, commands, warned, clock } = await attempt([lock, lock, lock, lock, lock, done]);
  expect(result).toBe(done);
  expect(clock.sleeps).toEqual([3_000, 3_000, 3_000, 1_000]);
  expect(commands).toEqual(["cancel pr-1"]);
  expect(warned).toEqual([expect.stringContaining("Treating that run as dead and removing its lock.")]);
});

describe("the lock of a dead process", () => {
  // Linux gives no process a number that large.
  const dead = `root@${hostname()} (pid 2000000000)`;

  test("is removed immediately when the process ran on this machine", async () => {
    const { result, commands, warned, clock } = await attempt([locked(dead), done]);
    expect(result).toBe(done);
    expect(clock.sleeps).toEqual([]);
    expect(commands).toEqual(["cancel pr-1"]);
    expect(warned).toEqual([
      expect.stringMatching(/^pr-1 is locked by a dead run \(.*pid 2000000000.*Removing the lock\.$/),
    ]);
  });

  test.each([
    ["of another machine", locked("root@elsewhere (pid 2000000000)")],
    ["that is alive", locked(`root@${hostname()} (pid ${process.pid})`)],
    ["next to one that is alive", locked(dead, `root@${hostname()} (pid ${process.pid})`)],
    ["in a bucket, where machines may have the same name", failed(locked(dead).stderr.replaceAll("file://", "s3://"))],
    ["that is not named", conflict],
  ])("is waited for when it is one %s", async (_, lock) => {
    expect(areHoldersDead(lock.stderr)).toBe(false);
    const { clock } = await attempt([lock, done]);
    expect(clock.sleeps).toEqual([3_000]);
  });
});

test("without a wait the lock is removed immediately", async () => {
  const { result, clock, commands } = await attempt([locked("root@a (pid 1)"), done], 0);
  expect(result).toBe(done);
  expect(clock.sleeps).toEqual([]);
  expect(commands).toEqual(["cancel pr-1"]);
});

test("each new holder gets the whole wait", async () => {
  const locks = ["a", "a", "b", "b", "b", "c"].map((owner) => locked(owner));
  const { result, commands, said } = await attempt([...locks, done]);
  expect(result).toBe(done);
  expect(commands).toEqual([]);
  expect(said).toHaveLength(3);
});

test("another waiting run that shows up for a moment does not extend the wait", async () => {
  const locks = [locked("dead"), locked("dead", "other-1"), locked("dead"), locked("dead", "other-2"), locked("dead")];
  const { result, clock, commands, said } = await attempt([...locks, done]);
  expect(result).toBe(done);
  expect(clock.elapsedMs()).toBe(10_000);
  expect(commands).toEqual(["cancel pr-1"]);
  expect(said).toHaveLength(1);
});

test("a stack that is locked again after each cancel makes the job give up", async () => {
  const { result, commands } = await attempt([locked("a")]);
  expect(result).toEqual(
    new CodedError(
      "pr-1 is still locked (run of a at 2026-11-22T20:00:00Z), although 3 locks were removed. " +
        "Wait until no run uses it, then run this again.",
      "AGB724",
    ),
  );
  expect(commands).toEqual(["cancel pr-1", "cancel pr-1", "cancel pr-1"]);
});

test("a request to stop ends the wait", async () => {
  const fake = openFakeJob({}, { pause: () => Promise.reject(new Error("Stopped.")) });
  await expect(whenUnlocked(fake.job, "pr-1", 10_000, async () => conflict)).rejects.toThrow("Stopped.");
});

test("a clock that is set back does not extend the wait for a lock", async () => {
  const fake = openFakeJob();
  const pause = async (milliseconds: number) => {
    if (fake.clock.elapsedMs() > 3_600_000) {
      throw new Error("the wait goes on for hours");
    }
    fake.clock.advance(milliseconds);
    fake.clock.setBack(600_000);
  };
  const results = async () => (fake.commands.includes("cancel pr-1") ? done : locked("root@a (pid 1)"));
  fake.stacks.set("pr-1", stateOf("shop", "pr-1", []));
  expect(await whenUnlocked({ ...fake.job, pause }, "pr-1", 10_000, results)).toEqual(done);
});
