// The scripts that put files into a session, run by real shells in a folder of this machine.

import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { readLocalFiles } from "../../provider/lifecycle/local-files";
import { findFiles, putFiles, removeFiles } from "../../provider/lifecycle/session-files";
import { openClient } from "../support/agb-client";
import { textFiles } from "../support/file-session";
import { type ShellServer, startShellServer, treeBelow } from "../support/shell-server";

jest.setTimeout(300_000);

const sessionId = "s-1";

function toolsOf({ url }: ShellServer) {
  const client = openClient(url);
  return {
    put: (texts: Record<string, string>, path = "/home/user/app") =>
      putFiles(client, sessionId, { path, mode: 0o644, local: readLocalFiles(textFiles(texts)) }),
    putText: (text: string, path: string, mode = 0o644) =>
      putFiles(client, sessionId, { path, mode, local: readLocalFiles({ text }) }),
    find: (path = "/home/user/app") => findFiles(client, sessionId, path),
    remove: (path = "/home/user/app") => removeFiles(client, sessionId, path),
  };
}

/** The tree that an archive should make. */
function treeOf(texts: Readonly<Record<string, string>>): Record<string, string> {
  const folders = Object.keys(texts).flatMap((path) =>
    path
      .split("/")
      .slice(0, -1)
      .map((_, index, parts) => [`${parts.slice(0, index + 1).join("/")}/`, ""] as const),
  );
  return Object.fromEntries([...folders, ...Object.entries(texts).map(([path, text]) => [path, `644 ${text}`])]);
}

const strangeNames = [
  "a b",
  "-rf",
  "--",
  "'",
  '"',
  "'\\''",
  "$(touch /tmp/agb-hit)",
  "`id`",
  "a\nb",
  "\n",
  "a\n\nEOF\n",
  "EOF",
  "tab\there",
  "\\",
  "\\n",
  "back\\slash",
  "*",
  "?[a]",
  "~",
  "#x",
  ";",
  "&",
  "|",
  "!",
  "(",
  "=",
  "%s%n",
  "é",
  "日本語",
  "👩‍💻",
  "\u202e",
  "\u0001",
  ".hidden",
  "...",
  "$n",
  "x".repeat(120),
  "ü".repeat(127),
];

const name = fc.oneof(
  fc.constantFrom(...strangeNames),
  fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
    .filter((text) => !/[/\0\p{Surrogate}]/u.test(text) && ![".", ".."].includes(text)),
);
const archive = fc
  .array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), fc.string({ maxLength: 20 })), { maxLength: 6 })
  .map((files) => {
    // A name is a file or a folder, not both.
    const texts: Record<string, string> = {};
    for (const [names, text] of files) {
      const path = names.join("/");
      const others = Object.keys(texts);
      if (!others.some((other) => other === path || other.startsWith(`${path}/`) || path.startsWith(`${other}/`))) {
        texts[path] = text;
      }
    }
    return texts;
  });

test.each(["dash", "bash"] as const)("%s puts, compares, updates and removes files of any name", async (shell) => {
  const server = await startShellServer(shell);
  const { put, find, remove } = toolsOf(server);
  const home = join(server.root, "home/user");
  await fc.assert(
    fc.asyncProperty(archive, archive, async (first, second) => {
      await put(first);
      expect(treeBelow(join(home, "app"))).toEqual(treeOf(first));
      expect(await find()).toMatchObject({ isIntact: true });
      await put(second);
      expect(treeBelow(join(home, "app"))).toEqual(treeOf(second));
      expect(await find()).toMatchObject({ isIntact: true });
      expect(await remove()).toBe(true);
      expect(treeBelow(home)).toEqual({});
    }),
    {
      numRuns: 12,
      examples: [[Object.fromEntries(strangeNames.map((one) => [`d/${one}`, one])), { d: "now a file" }]],
    },
  );
});

test("a path of any name works too", async () => {
  const server = await startShellServer();
  const { put, putText, find, remove } = toolsOf(server);
  for (const strange of ["a b", "-rf", "'", "$(touch /tmp/agb-hit)", "a\nb", "\\", "*", "日本語", "👩‍💻"]) {
    const path = `/home/user/${strange}/it's/$(x)`;
    await put({ a: "1" }, path);
    expect(treeBelow(join(server.root, path))).toEqual({ a: "644 1" });
    expect(await find(path)).toMatchObject({ isIntact: true });
    await remove(path);
    await putText("text", path, 0o600);
    expect(await find(path)).toMatchObject({ isIntact: true });
    expect(treeBelow(join(server.root, `/home/user/${strange}`))).toEqual({ "it's/": "", "it's/$(x)": "600 text" });
    await remove(path);
    expect(treeBelow(join(server.root, "home/user"))).toEqual({});
  }
});

test("a script that is killed at any moment leaves whole files, old or new, and the next put and remove leave nothing else", async () => {
  const server = await startShellServer();
  const { put, find, remove } = toolsOf(server);
  const home = join(server.root, "home/user");
  const [old, next] = [
    {
      "same.txt": "same",
      "changed.txt": "old",
      "sub/changed.txt": "old",
      "sub/left.txt": "left",
      "gone/left.txt": "left",
    },
    {
      "same.txt": "same",
      "changed.txt": "new",
      "sub/changed.txt": "new",
      "sub/more.txt": "more",
      "deep/er/more.txt": "more",
    },
  ];
  const allowed = { ...treeOf(old), ...treeOf(next) };
  let killed = 0;
  for (let program = 1; ; program += 2) {
    server.killNever();
    await put(old);
    writeFileSync(join(home, "app/sub/other"), "other");
    server.killAt(program, "apply");
    const result = await put(next).catch((error: unknown) => error);
    if (!server.wasKilled()) {
      expect(result).toBeUndefined();
      break;
    }
    killed += 1;
    for (const [path, content] of Object.entries(treeBelow(join(home, "app")))) {
      if (!path.startsWith("sub/other") && !path.includes(".pulumi-agb.")) {
        expect([allowed[path], treeOf(old)[path], treeOf(next)[path]]).toContain(content);
      }
    }
    server.killNever();
    if (killed % 2 === 0) {
      await put(next);
      expect(treeBelow(join(home, "app"))).toEqual({ ...treeOf(next), "sub/other": "644 other" });
      expect(await find()).toMatchObject({ isIntact: true });
    } else {
      expect(await remove()).toBe(true);
      expect(treeBelow(home)).toEqual({ "app/": "", "app/sub/": "", "app/sub/other": "644 other" });
    }
  }
  expect(killed).toBeGreaterThan(10);
});

test("a remove that is killed at any moment is finished by the next one", async () => {
  const server = await startShellServer();
  const { put, remove } = toolsOf(server);
  const home = join(server.root, "home/user");
  for (let program = 1; ; program++) {
    server.killNever();
    await put({ a: "1", "sub/b": "2", "other/c": "3" });
    writeFileSync(join(home, "app/other/mine"), "mine");
    server.killAt(program);
    await remove().catch(() => undefined);
    const wasKilled = server.wasKilled();
    server.killNever();
    expect(await remove()).toBe(true);
    expect(treeBelow(home)).toEqual({ "app/": "", "app/other/": "", "app/other/mine": "644 mine" });
    if (!wasKilled) {
      break;
    }
  }
});

describe("a file that two resources put", () => {
  test("stays when it moves from its own resource into a folder, and back", async () => {
    const server = await startShellServer();
    const { put, putText, find, remove } = toolsOf(server);
    const home = join(server.root, "home/user");
    const own = "/home/user/app/sub/a";
    await putText("a", own);
    await put({ b: "b", "sub/a": "a" });
    expect(await remove(own)).toBe(true);
    expect(treeBelow(home)).toEqual({ "app/": "", "app/b": "644 b", "app/sub/": "", "app/sub/a": "644 a" });
    expect(await find()).toMatchObject({ isIntact: true });
    await putText("a", own);
    await put({ b: "b" });
    expect(await find(own)).toMatchObject({ isIntact: true });
    await remove();
    expect(treeBelow(home)).toEqual({ "app/": "", "app/sub/": "", "app/sub/a": "644 a" });
    await remove(own);
    expect(treeBelow(join(home, "app"))["sub/a"]).toBeUndefined();
  });

  test.each(["dash", "bash"] as const)("stays until the last of them is without it, with %s", async (shell) => {
    const server = await startShellServer(shell);
    const { put, putText, remove } = toolsOf(server);
    const files = ["it's x", "sub/x", "sub/-a\nb"];
    const folders = ["/home/user/app", "/home/user/app/sub"];
    const places = [...folders, ...files.map((file) => `/home/user/app/${file}`)];
    const step = fc.record({
      place: fc.constantFrom(...places),
      action: fc.constantFrom("put", "put", "remove"),
      chosen: fc.subarray(files),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
        rmSync(join(server.root, "home/user/app"), { recursive: true, force: true });
        rmSync(join(server.root, "tmp/.pulumi-agb"), { recursive: true, force: true });
        const declared = new Map<string, readonly string[]>();
        for (const { place, action, chosen } of steps) {
          const inside = chosen.map((file) => `/home/user/app/${file}`).filter((path) => path.startsWith(`${place}/`));
          if (action === "remove") {
            await remove(place);
            declared.delete(place);
          } else if (folders.includes(place)) {
            await put(Object.fromEntries(inside.map((path) => [path.slice(place.length + 1), "text"])), place);
            declared.set(place, inside);
          } else {
            await putText("text", place);
            declared.set(place, [place]);
          }
          const expected = new Set([...declared.values()].flat());
          const found = Object.entries(treeBelow(join(server.root, "home/user")))
            .filter(([path]) => !path.endsWith("/"))
            .map(([path, content]) => [`/home/user/${path}`, content]);
          expect(Object.fromEntries(found)).toEqual(
            Object.fromEntries([...expected].map((path) => [path, "644 text"])),
          );
        }
      }),
      { numRuns: 8 },
    );
  });
});

describe("a link in the way", () => {
  test("of a file is replaced, and what it leads to stays", async () => {
    const server = await startShellServer();
    const { putText, put, remove } = toolsOf(server);
    const home = join(server.root, "home/user");
    writeFileSync(join(home, "outside"), "outside");
    mkdirSync(join(home, "folder"));
    symlinkSync("outside", join(home, "file"));
    await putText("inside", "/home/user/file");
    mkdirSync(join(home, "app"));
    symlinkSync("../folder", join(home, "app/a"));
    await put({ a: "1" });
    expect(treeBelow(home)).toEqual({
      outside: "644 outside",
      file: "644 inside",
      "folder/": "",
      "app/": "",
      "app/a": "644 1",
    });
    await remove();
    expect(treeBelow(home)).toMatchObject({ "app/": "", "folder/": "" });
  });

  test("of a folder is refused before anything is changed", async () => {
    const server = await startShellServer();
    const { put } = toolsOf(server);
    const home = join(server.root, "home/user");
    mkdirSync(join(home, "folder"));
    mkdirSync(join(home, "app"));
    symlinkSync("../folder", join(home, "app/sub"));
    await expect(put({ a: "1", "sub/b": "2" })).rejects.toThrow(
      '"/home/user/app/sub" is a file or a link, where a folder should be',
    );
    symlinkSync("folder", join(home, "link"));
    await expect(put({ a: "1" }, "/home/user/link")).rejects.toThrow('"/home/user/link" is a file or a link');
    expect(treeBelow(home)).toEqual({ "app/": "", "app/sub": "-> ../folder", "folder/": "", link: "-> folder" });
  });

  test("is not followed by a remove or an update, when it appears later", async () => {
    const server = await startShellServer();
    const { put, remove, find } = toolsOf(server);
    const home = join(server.root, "home/user");
    await put({ a: "1", "sub/b": "2" });
    mkdirSync(join(home, "folder"));
    writeFileSync(join(home, "folder/b"), "of others");
    renameSync(join(home, "app/sub"), join(home, "moved"));
    symlinkSync("../folder", join(home, "app/sub"));
    expect(await find()).toMatchObject({ isIntact: false });
    await expect(put({ a: "1", "sub/b": "2" })).rejects.toThrow('"/home/user/app/sub" is a file or a link');
    await put({ a: "1" });
    expect(treeBelow(home)).toMatchObject({ "folder/b": "644 of others", "app/sub": "-> ../folder" });
    await remove();
    expect(treeBelow(home)).toMatchObject({ "folder/b": "644 of others", "moved/b": "644 2" });
  });
});

test("a folder where a file should be is refused before anything is changed, and so is a file where a folder should be", async () => {
  const server = await startShellServer();
  const { put, putText } = toolsOf(server);
  const home = join(server.root, "home/user");
  mkdirSync(join(home, "app/a"), { recursive: true });
  await expect(put({ a: "1", b: "2" })).rejects.toThrow('"/home/user/app/a" is a folder, where a file should be');
  await expect(putText("1", "/home/user/app")).rejects.toThrow('"/home/user/app" is a folder, where a file should be');
  writeFileSync(join(home, "file"), "mine");
  await expect(put({ a: "1" }, "/home/user/file/sub")).rejects.toThrow(
    '"/home/user/file/sub" is a file or a link, where a folder should be',
  );
  expect(treeBelow(home)).toEqual({ "app/": "", "app/a/": "", file: "644 mine" });
});

test("an update may turn a file into a folder and back", async () => {
  const server = await startShellServer();
  const { put, find } = toolsOf(server);
  await put({ a: "1", "b/c": "2" });
  await put({ "a/x": "1", b: "2" });
  expect(treeBelow(join(server.root, "home/user/app"))).toEqual({ "a/": "", "a/x": "644 1", b: "644 2" });
  await put({ a: "1", "b/c": "2" });
  expect(treeBelow(join(server.root, "home/user/app"))).toEqual({ a: "644 1", "b/": "", "b/c": "644 2" });
  expect(await find()).toMatchObject({ isIntact: true });
});

test.each(["tar", "sha256sum", "gzip"])("a session without %s is named", async (program) => {
  const server = await startShellServer();
  const { put, find, remove } = toolsOf(server);
  server.hide(program);
  for (const work of [() => put({ a: "1" }), () => find(), () => remove()]) {
    await expect(work()).rejects.toThrow(`the session lacks ${program}`);
  }
  expect(treeBelow(join(server.root, "home/user"))).toEqual({});
});
