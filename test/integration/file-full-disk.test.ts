// Files for a session whose disk is full, on real disks and with real shells.

import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { readLocalFiles } from "../../provider/lifecycle/local-files";
import { findFiles, putFiles, removeFiles } from "../../provider/lifecycle/session-files";
import { openClient } from "../support/agb-client";
import { textFiles } from "../support/file-session";
import { FileStack } from "../support/file-stack";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { captureErrorStream } from "../support/said";
import { failureOf } from "../support/session-stack";
import { startShellServer, treeBelow } from "../support/shell-server";
import { diskKinds, type SmallDisk } from "../support/small-disk";

jest.setTimeout(600_000);
withoutRetryDelay();
captureErrorStream();

const shells = ["dash", "bash"] as const;
const everywhere = diskKinds.flatMap((kind) => shells.map((shell) => [kind.name, shell, kind] as const));

const path = "/home/user/app";
// Content that cannot be compressed takes several parts and pages.
const noise = (seed: number) =>
  Array.from({ length: 600 }, (_, index) => ((index * 7919 + seed) ** 3).toString(36)).join("");
const old = { "same.txt": "same", "changed.txt": noise(1), "sub/left.txt": noise(2) };
const next = { "same.txt": "same", "changed.txt": noise(3), "sub/more.txt": noise(4), "deep/er/more.txt": noise(5) };

function trees(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, `644 ${text}`]));
}

function withoutFolders(tree: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => !name.endsWith("/")));
}

async function openSession(shell: (typeof shells)[number], kind: (typeof diskKinds)[number]) {
  const server = await startShellServer(shell, kind);
  const client = openClient(server.url);
  return {
    server,
    disk: server.disk as SmallDisk,
    put: (texts: Record<string, string>) =>
      putFiles(client, "s-1", { path, mode: 0o644, local: readLocalFiles(textFiles(texts)) }),
    find: () => findFiles(client, "s-1", path),
    remove: () => removeFiles(client, "s-1", path),
    files: () => withoutFolders(treeBelow(join(server.root, path))),
    /** Everything in the session but what belongs to the test. */
    everything: () =>
      Object.keys(treeBelow(server.root)).filter((name) => !name.startsWith("filler") && !name.endsWith("/")),
  };
}

type Fill = (disk: SmallDisk, room: number) => void;
const rooms: readonly (readonly [string, Fill])[] = [
  ["pages of 4096 bytes", (disk, count) => disk.fill(4096 * count)],
  ["files", (disk, count) => disk.fillFiles(count)],
];
// Each shell has one of the limits, because these tests are slow.
const disks = everywhere.flatMap(([name, shell, kind]) =>
  rooms
    .slice(0, kind.countsFiles ? 2 : 1)
    .filter(([what]) => (what === "files") === (shell === "bash"))
    .map(([what, fill]) => [name, what, shell, kind, fill] as const),
);

describe.each(disks)("on %s with room for any number of %s, with %s", (_, __, shell, kind, fill) => {
  // Where in a put the disk becomes full: before which call of a put, by what it does.
  const moments = [
    ["the comparison", "check.sh"],
    ["the update", 'current 2>/dev/null)" = a.'],
  ] as const;

  test.each(moments)("%s succeeds, or fails and leaves whole files and nothing else", async (___, part) => {
    const { server, disk, put, find, files, everything } = await openSession(shell, kind);
    let [succeeded, failed] = [0, 0];
    for (let room = 0; succeeded < 2; room += room < 6 ? 1 : 4) {
      await put(old);
      const before = everything();
      server.beforeEachCall((subject) => {
        if (subject.includes(part)) {
          fill(disk, room);
        }
      });
      const result = await put(next).catch((error: Error) => error);
      server.beforeEachCall(() => {});
      // What the session says on a full disk is true, or it says nothing.
      const found = await find().catch((error: Error) => error);
      if (!(found instanceof Error)) {
        expect(found?.isIntact).toBe(result === undefined || isDeepStrictEqual(files(), trees(old)));
      }
      disk.empty();
      if (result === undefined) {
        succeeded += 1;
        expect(files()).toEqual(trees(next));
        expect(await find()).toMatchObject({ isIntact: true });
        continue;
      }
      failed += 1;
      expect(result.message).toMatch(/No space left on device|File too large|disk may be full/);
      for (const [name, content] of Object.entries(files())) {
        expect([trees(old)[name], trees(next)[name]]).toContain(content);
      }
      // The parts that were sent do not keep the disk full.
      expect(everything().filter((name) => /content\/|\.pulumi-agb\.|\/w\./.test(name))).toEqual([]);
      expect(before.length).toBeGreaterThan(0);
      await put(next);
      expect(files()).toEqual(trees(next));
      expect(await find()).toMatchObject({ isIntact: true });
    }
    expect(failed).toBeGreaterThan(1);
  });

  test("a refresh says what is true or fails, and a delete works", async () => {
    const { disk, put, find, remove, everything } = await openSession(shell, kind);
    for (const room of [0, 1, 2, 3, 5]) {
      await put(old);
      fill(disk, room);
      const found = await find().catch((error: Error) => error);
      if (found instanceof Error) {
        expect(found.message).toMatch(/No space left on device|File too large/);
      } else {
        expect(found).toMatchObject({ isIntact: true });
      }
      expect(await remove()).toBe(true);
      disk.empty();
      expect(everything().filter((name) => !name.endsWith(".removed"))).toEqual([]);
    }
  });
});

describe.each(everywhere)("on %s, with %s", (_, shell, kind) => {
  /** A put makes six calls. */
  test.each([1, 2, 3, 4, 5, 6])(
    "a disk that is full from call %i on fails the update, and the next one is right",
    async (call) => {
      const server = await startShellServer(shell, kind);
      const disk = server.disk as SmallDisk;
      const session = { emulator: { url: server.url }, sessionId: "s-1" } as unknown as FileStack["session"];
      const stack = new FileStack(session, server.url);
      const args = (texts: Record<string, string>) => ({ path, source: textFiles(texts) });
      const entry = await stack.create(args({ a: "old" }));
      let calls = 0;
      server.beforeEachCall(() => {
        calls += 1;
        if (calls === call) {
          disk.fill();
        }
      });
      const failure = (await failureOf(stack.update(entry, args({ a: "new", b: "more" })))) as Error & {
        reasons?: string[];
        properties?: Record<string, unknown>;
      };
      const message = failure.reasons?.join() ?? failure.message;
      expect(message).toMatch(/No space left on device|File too large/);
      expect(message).toMatch(/Free some space in the session, or recreate it\. .*\[AGB949\]$/);
      expect(withoutFolders(treeBelow(join(server.root, path)))).toEqual({ a: "644 old" });
      disk.empty();
      server.beforeEachCall(() => {});
      const left = failure.properties === undefined ? entry : { ...entry, outputs: failure.properties };
      const updated = await stack.update(left, args({ a: "new", b: "more" }));
      expect(withoutFolders(treeBelow(join(server.root, path)))).toEqual({ a: "644 new", b: "644 more" });
      expect((await stack.refresh(updated)).outputs).toEqual(updated.outputs);
    },
  );
});
