// Commands in a session whose disk is full, on real disks and with real shells.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeAfterTest } from "../support/close-after-test";
import { type CommandEntry, openCommands, unfinishedBy } from "../support/command-stack";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { captureErrorStream, said } from "../support/said";
import { startShellServer } from "../support/shell-server";
import { type DiskKind, diskKinds, type SmallDisk } from "../support/small-disk";

jest.setTimeout(300_000);
withoutRetryDelay();
captureErrorStream();

const shells = ["dash", "bash"] as const;
const everywhere = diskKinds.flatMap((kind) => shells.map((shell) => [kind.name, shell, kind] as const));

async function openSession(shell: (typeof shells)[number], kind: DiskKind) {
  const server = await startShellServer(shell, kind);
  const disk = server.disk as SmallDisk;
  // On this computer's disk, so that a run is counted while the session's disk is full. A folder needs no byte.
  const counter = mkdtempSync(join(tmpdir(), "agb-runs-"));
  closeAfterTest({ close: () => rmSync(counter, { recursive: true }) });
  return {
    server,
    disk,
    /** The provider of the next run. */
    next: () => openCommands(server.url, "s-1"),
    counting: `mkdir ${counter}/run-$$`,
    runs: () => readdirSync(counter).length,
  };
}

/** The message of a create, and the state that it leaves, if any. */
async function failureOf(work: Promise<unknown>): Promise<{ reason: string; entry: CommandEntry | undefined }> {
  return unfinishedBy(work).catch((error: Error) => ({ reason: error.message, entry: undefined }));
}

const saysFull = /the disk of the session is full.*Free some space in the session, or recreate it\. .*\[AGB914\]$/s;

describe.each(everywhere)("on %s, with %s", (_, shell, kind) => {
  /** A run makes a call to prepare, two for the parts of this command, one to start, and polls. */
  const args = (counting: string) => ({ create: `${counting}; cat >/dev/null; echo done`, stdin: "x".repeat(60_000) });

  test.each([1, 2, 3, 4])(
    "a disk that is full from call %i on fails the create, and the next up runs it",
    async (call) => {
      const { server, disk, next, counting, runs } = await openSession(shell, kind);
      let calls = 0;
      server.beforeEachCall(() => {
        calls += 1;
        if (calls === call) {
          disk.fill();
        }
      });
      const { reason, entry } = await failureOf(next().create(args(counting)));
      expect(reason).toMatch(saysFull);
      expect(reason).toMatch(/No space left on device|File too large/);
      expect(entry).toBeUndefined();
      expect(runs()).toBe(0);

      disk.empty();
      const { outputs } = await next().create(args(counting));
      expect(outputs).toMatchObject({ stdout: "done", exitCode: 0 });
      expect(runs()).toBe(1);
    },
  );

  test("a command that fills the disk and fails says so, and the next up runs it again", async () => {
    const { server, next, counting, runs } = await openSession(shell, kind);
    const create = `${counting}; head -c 4000000 /dev/zero > big || { echo "no big file" >&2; exit 3; }; echo done`;
    const { reason, entry } = await failureOf(next().create({ create }));
    expect(reason).toMatch(
      /^the command `create` ended with exit code 3\..*(disk of the session is full|no big file)/s,
    );
    expect(entry?.outputs).toMatchObject({ pending: "create" });
    expect(runs()).toBe(1);

    rmSync(join(server.root, "home/user/big"));
    const fixed = { create: `${counting}; echo done` };
    const { outputs } = await next().update(entry as CommandEntry, fixed);
    expect(outputs).toMatchObject({ stdout: "done", exitCode: 0 });
    expect(runs()).toBe(2);
  });

  test("a command that does not care about a full disk succeeds with a warning", async () => {
    const { server, disk, next } = await openSession(shell, kind);
    server.beforeEachCall((subject) => {
      if (subject.includes("setsid sh")) {
        disk.fill(32 * 1024);
      }
    });
    const { outputs } = await next().create({ create: "head -c 100000 /dev/zero > big; echo lost; exit 0" });
    expect(outputs).toMatchObject({ exitCode: 0 });
    expect(said()).toMatch(/disk of the session is full, so the output of the command may be incomplete.*\[AGB914\]/);
  });
});

const rooms = [
  ["pages of 4096 bytes", (disk: SmallDisk, count: number) => disk.fill(4096 * count)],
  ["files", (disk: SmallDisk, count: number) => disk.fillFiles(count)],
] as const;

describe.each(
  everywhere.flatMap(([name, shell, kind]) =>
    rooms.slice(0, kind.countsFiles ? 2 : 1).map(([what, fill]) => [name, what, shell, kind, fill] as const),
  ),
)("on %s with room for any number of %s, with %s", (_, __, shell, kind, fill) => {
  test("a command runs once, or says that it did not run", async () => {
    let [succeeded, failed] = [0, 0];
    for (let room = 0; succeeded < 2; room += 1) {
      const { server, disk, next, counting, runs } = await openSession(shell, kind);
      // The script of the command has arrived when the disk is full.
      server.beforeEachCall((subject) => {
        if (subject.includes("setsid sh")) {
          fill(disk, room);
        }
      });
      const args = { create: `${counting}; echo done`, stdin: "x".repeat(9_000) };
      const result = await next()
        .create(args)
        .catch((error: unknown) => failureOf(Promise.reject(error)));
      server.beforeEachCall(() => {});
      disk.empty();
      if ("outputs" in result) {
        succeeded += 1;
        expect(result.outputs["stdout"] === "done" || said().includes("may be incomplete")).toBe(true);
        expect(runs()).toBe(1);
        continue;
      }
      failed += 1;
      expect(result.reason).toMatch(saysFull);
      const ranBefore = runs();
      // A command that begins and then cannot write fails by itself.
      expect(ranBefore).toBeLessThanOrEqual(result.reason.includes("ended with exit code") ? 1 : 0);
      const { outputs } = await (result.entry === undefined ? next().create(args) : next().update(result.entry, args));
      expect(outputs).toMatchObject({ stdout: "done", exitCode: 0 });
      expect(runs()).toBe(ranBefore + 1);
    }
    expect(failed).toBeGreaterThan(2);
  });
});
