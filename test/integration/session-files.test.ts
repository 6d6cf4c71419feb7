import { randomBytes } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FileSource, readLocalFiles } from "../../provider/lifecycle/local-files";
import { findFiles, putFiles, removeFiles } from "../../provider/lifecycle/session-files";
import { openClient } from "../support/agb-client";
import { localFolder, openFileSession, textFiles } from "../support/file-session";

const folder = "/home/user/app";

async function open() {
  const session = await openFileSession();
  const { emulator, sessionId } = session;
  const client = openClient(emulator.url, { timeoutMs: 60_000 });
  return {
    ...session,
    put: (source: FileSource, path = folder, mode = 0o644) =>
      putFiles(client, sessionId, { path, mode, local: readLocalFiles(source) }),
    find: (path = folder) => findFiles(client, sessionId, path),
    remove: (path = folder) => removeFiles(client, sessionId, path),
    callsOf: async (work: () => Promise<unknown>) => {
      const before = emulator.requestCounts().mcp ?? 0;
      await work();
      return (emulator.requestCounts().mcp ?? 0) - before;
    },
  };
}

test("a folder arrives with every byte, its execute permissions and its empty folders", async () => {
  const { put, find, files, shell } = await open();
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const source = {
    folder: localFolder({ "run.sh*": "#!/bin/sh\n", "data/all.bin": bytes, "data/empty": "", "none/": "" }),
  };
  await put(source);
  expect(await files(folder)).toEqual({
    "run.sh": "755 #!/bin/sh\n",
    "data/all.bin": `644 ${bytes.toString()}`,
    "data/empty": "644 ",
  });
  // SHA-256 of all 256 bytes in order.
  expect(await shell("sha256sum <app/data/all.bin")).toBe(
    "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880  -\n",
  );
  expect(await shell("ls -A app app/none; stat -c '%a' app app/data")).toBe(
    "app:\ndata\nnone\nrun.sh\n\napp/none:\n755\n755\n",
  );
  expect(await find()).toMatchObject({
    isIntact: true,
    contentHash: readLocalFiles(source).contentHash,
    mode: 0o644,
  });
});

test("files, strings and archives can be nested, and a single file has exactly the declared permissions", async () => {
  const { put, files, find } = await open();
  const local = localFolder({ "a.txt": "a", "run*": "run", "sub/b.txt": "b" });
  await put(
    {
      archive: {
        "x/text": { text: "text" },
        one: { file: join(local, "a.txt") },
        tool: { file: join(local, "run") },
        all: { folder: local },
        more: { archive: { "deep/er": { text: "deep" } } },
      },
    },
    folder,
    0o600,
  );
  expect(await files(folder)).toEqual({
    "x/text": "600 text",
    one: "600 a",
    tool: "700 run",
    "all/a.txt": "600 a",
    "all/run": "700 run",
    "all/sub/b.txt": "600 b",
    "more/deep/er": "600 deep",
  });
  for (const mode of [0o400, 0o604, 0o755, 0o777]) {
    await put({ file: join(local, "run") }, "/home/user/single/run", mode);
    expect(await files("/home/user/single")).toEqual({ run: `${mode.toString(8)} run` });
    expect(await find("/home/user/single/run")).toMatchObject({ isIntact: true, mode });
  }
});

test("an update sends only what differs, removes what left, and leaves the files of others", async () => {
  const { put, files, shell, find, remove, callsOf } = await open();
  await put({ folder: localFolder({ "a.txt": "a", "b.txt": "b", "sub/c.txt": "c", "sub/d.txt": "d", "gone/e": "e" }) });
  await shell("echo other >app/other; echo other >app/sub/other");
  const inodes = await shell("stat -c %i app/a.txt app/sub/c.txt");
  // Random bytes do not compress: these take eight calls.
  const large = randomBytes(300_000);
  const newer = localFolder({ "a.txt": "a", "sub/c.txt": "c", "sub/new.txt": "new", large });
  await put({ folder: newer });
  const expected = {
    "a.txt": "644 a",
    large: `644 ${large.toString()}`,
    other: "644 other\n",
    "sub/c.txt": "644 c",
    "sub/new.txt": "644 new",
    "sub/other": "644 other\n",
  };
  expect(await files(folder)).toEqual(expected);
  expect(await shell("ls app; stat -c %i app/a.txt app/sub/c.txt")).toBe(`a.txt\nlarge\nother\nsub\n${inodes}`);
  expect(await find()).toMatchObject({ isIntact: true });

  expect(await callsOf(() => put({ folder: newer }))).toBe(5);
  writeFileSync(join(newer, "a.txt"), "changed");
  expect(await callsOf(() => put({ folder: newer }))).toBe(6);
  chmodSync(join(newer, "a.txt"), 0o755);
  await put({ folder: newer });
  expect(await files(folder)).toEqual({ ...expected, "a.txt": "755 changed" });

  expect(await remove()).toBe(true);
  expect(await shell("cd app && find . | sort")).toBe(".\n./other\n./sub\n./sub/other\n");
  expect(await shell("ls -A /tmp/.pulumi-agb/files 2>/dev/null || true")).not.toMatch(/^[0-9a-f]{32}$/m);
});

test("a remove leaves folders that were there before, and those above that others use", async () => {
  const { put, shell, remove, find } = await open();
  await shell("mkdir -p there made/by");
  await put(textFiles({ a: "1" }), "/home/user/there");
  await put({ text: "x" }, "/home/user/made/by/me/file");
  await remove("/home/user/there");
  await remove("/home/user/made/by/me/file");
  expect(await shell("find . | sort")).toBe(".\n./made\n./made/by\n./there\n");
  expect(await remove("/home/user/there")).toBe(true);
  expect(await remove("/home/user/never")).toBe(false);
  expect(await find("/home/user/never")).toBeUndefined();
});

test.each([
  ["content", "echo x >app/a"],
  ["an appended byte", "printf x >>app/sub/b"],
  ["permissions", "chmod 600 app/a"],
  ["an execute permission", "chmod +x app/a"],
  ["a removed file", "rm app/a"],
  ["a removed folder", "rm -r app/sub"],
  ["a removed empty folder", "rmdir app/none"],
  ["everything removed", "rm -r app"],
  ["a link instead of a file", "mv app/a app/z; ln -s z app/a"],
  ["a link instead of a folder", "mv app/sub other; ln -s ../other app/sub"],
  ["a folder instead of a file", "rm app/a; mkdir app/a"],
  ["a file instead of a folder", "rm -r app/sub; echo x >app/sub"],
])("a change of %s is seen, always with the same hash", async (_, change) => {
  const { put, find, shell } = await open();
  await put({ folder: localFolder({ a: "a", "sub/b": "b", "none/": "" }) });
  const before = await find();
  await shell("echo extra >app/extra; echo extra >app/none/extra; rm app/none/extra; touch app/a");
  expect(await find()).toEqual(before);
  await shell(change);
  const after = await find();
  expect(after).toMatchObject({ isIntact: false, contentHash: before?.contentHash });
  expect(after?.actualHash).not.toBe(before?.actualHash);
  expect(await find()).toEqual(after);
});
