// Jobs that are cancelled or killed half way, with the real engine. The tests build on each other.

import { setTimeout as sleep } from "node:timers/promises";
import "../support/await-pulumi-cli";
import { down, PreviewWorld, until, up } from "../support/preview-world";

jest.setTimeout(600_000);

const world = new PreviewWorld();

describe("a job that is cancelled half way through an `up`", () => {
  test("and has time to finish its step loses nothing", async () => {
    world.setRequest(3, "open");
    const create = world.hold("createSession", "after", 5_000);
    const job = await world.start(...up(3, "eeeeeee5"));
    await create.reached();
    job.send("SIGINT");
    const { exitCode } = await job.result;
    create.release();
    expect(exitCode).not.toBe(0);
    expect(world.forge.comments.find(({ number }) => number === 3)?.body).toContain(
      "was cancelled before it was ready",
    );
    expect((await world.recoverIn(job, 3)).stdout).toBe(
      "No run on pr-3 was cut off here, so there is nothing to recover.\n",
    );
    const { sessionId } = world.onlySession(3);
    await world.succeed(...up(3, "eeeeeee5"));
    expect(world.onlySession(3).sessionId).toBe(sessionId);
    await world.succeed(...down(3));
  });

  test("and is killed leaves a lock and a session, which `recover --force` removes from anywhere", async () => {
    const create = world.hold("createSession", "after");
    const job = await world.start(...up(3, "eeeeeee5"));
    await create.reached();
    job.send("SIGINT");
    await until(() => job.printed().includes("cancelling"));
    job.send("SIGTERM");
    expect(await Promise.race([job.result, sleep(500, "still running")])).toBe("still running");
    await job.kill();
    create.release();
    const orphan = world.onlySession(3).sessionId;

    const { stdout } = await world.succeed("recover", "--request", "3", "--force");
    expect(stdout).toContain("pr-3 is no longer locked.");
    expect(stdout).toContain(`released: ${orphan} (web, created 20`);
    expect(world.sessionsOf(3)).toEqual([]);
    await world.succeed(...up(3, "eeeeeee5"));
    expect(world.onlySession(3).labels).toMatchObject({ commit: "eeeeeee5" });
  });

  test("and whose command alone is killed: `recover` in its folder, and only there, ends the Pulumi that is still running", async () => {
    await world.emulator.release(world.onlySession(3).sessionId);
    const create = world.hold("createSession", "after", 5_000);
    const job = await world.start(...up(3, "abcdef01"));
    await create.reached();
    job.send("SIGKILL");
    const { sessionId } = world.onlySession(3);

    expect((await world.succeed("recover", "--request", "3")).stdout).toContain("No run on pr-3 was cut off here");
    expect(world.onlySession(3).sessionId).toBe(sessionId);
    const { stdout } = await world.recoverIn(job, 3);
    create.release();
    expect(stdout).toMatch(
      /^The Pulumi process of the run on pr-3 \(pid \d+\) was still running\. It has ended now\.$/m,
    );
    expect(stdout).toContain("The state of pr-3 knows all its sessions.");
    expect((await world.recoverIn(job, 3)).stdout).toContain("No run on pr-3 was cut off here");
    await world.succeed(...up(3, "abcdef01"), "--lock-wait", "0s");
    expect(world.onlySession(3).sessionId).toBe(sessionId);
  });

  test("and is killed without a `recover`: the next `up` takes the lock, and `down` releases what no state knows", async () => {
    await world.emulator.release(world.onlySession(3).sessionId);
    const create = world.hold("createSession", "after");
    const job = await world.start(...up(3, "fffffff6"));
    await create.reached();
    await job.kill();
    create.release();
    const orphan = world.onlySession(3).sessionId;

    const { stdout } = await world.succeed(...up(3, "fffffff6"));
    expect(stdout).toMatch(/^::warning::pr-3 is locked by a dead run \(run of .*\)\. Removing the lock\. \[AGB724\]$/m);
    expect(world.sessionsOf(3)).toHaveLength(2);
    await world.succeed(...down(3));
    expect(world.emulator.sessions().map(({ sessionId }) => sessionId)).not.toContain(orphan);
    expect(world.sessionsOf(3)).toEqual([]);
    expect(world.contexts()).toEqual([]);
  });
});
