// Files in sessions as Pulumi drives them: check, diff, create, read, update, delete.

import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { release } from "../support/emulator-requests";
import { localFolder } from "../support/file-session";
import { type FileEntry, type FileStack, openFileStack } from "../support/file-stack";
import { hosts } from "../support/resource-hosts";
import { captureErrorStream, said } from "../support/said";

captureErrorStream();

async function contentOf(stack: FileStack, path = "file"): Promise<string> {
  return stack.session.shell(`cat ${path}`);
}

test("an unchanged file is no change, also from a checkout in another folder, and a refresh changes nothing", async () => {
  const stack = await openFileStack();
  const [one, other] = [localFolder({ "a.txt": "a", "run*": "x" }), localFolder({})];
  const entry = await stack.create({ path: "/home/user/app", source: { folder: one } });
  expect(entry.outputs).toMatchObject({ permissions: "0644", contentHash: expect.stringMatching(/^[0-9a-f]{64}$/) });
  cpSync(one, other, { recursive: true });
  expect(await stack.diff(entry, { path: "/home/user/app", source: { folder: other } })).toEqual({ changes: false });
  expect(await stack.refresh(entry)).toEqual(entry);
});

test.each([
  { change: "content", args: { source: { text: "more" } }, after: "more 644\n" },
  { change: "permissions", args: { permissions: "0600" }, after: "content 600\n" },
])("a change of $change is an update in place", async ({ args, after }) => {
  const stack = await openFileStack();
  const entry = await stack.create();
  expect(await stack.diff(entry, args)).toMatchObject({ replaces: [] });
  const updated = await stack.update(entry, args);
  expect(await stack.refresh(updated)).toEqual(updated);
  expect(await stack.session.shell("cat file; stat -c ' %a' file")).toBe(after);
});

test("another path or session replaces the file, after the old one is deleted", async () => {
  const stack = await openFileStack();
  const entry = await stack.create();
  for (const args of [{ path: "/home/user/other" }, { sessionId: "s-2" }]) {
    expect(await stack.diff(entry, args)).toEqual({ replaces: Object.keys(args), deleteBeforeReplace: true });
  }
});

describe.each(hosts)("served by the %s host", (host) => {
  test("a file that moves from one resource to another in one run stays, whichever of them is updated first", async () => {
    const stack = await openFileStack({ host });
    const own = { path: "/home/user/app/x", source: { text: "x" } };
    const folder = (...names: string[]) => ({
      path: "/home/user/app",
      source: { archive: Object.fromEntries(names.map((name) => [name, { text: name }])) },
    });
    const { id, outputs } = await stack.create(folder("x", "y"), "folder");
    for (let round = 0; round < 4; round += 1) {
      stack.nextRun();
      const inputs = [await stack.check(folder("y"), "folder"), await stack.check(own, "own")] as const;
      const [update, create] = [
        () => stack.provider.update(id, outputs, inputs[0]),
        () => stack.provider.create(inputs[1]),
      ];
      await Promise.all(round % 2 === 0 ? [update(), create()] : [create(), update()]);
      expect(await stack.session.shell("cat app/x app/y")).toBe("xy");

      stack.nextRun();
      const back = await stack.check(folder("x", "y"), "folder");
      const ownId = `${stack.session.sessionId}${own.path}`;
      await Promise.all([stack.provider.update(id, inputs[0], back), stack.provider.delete(ownId, inputs[1])]);
      expect(await stack.session.shell("cat app/x app/y")).toBe("xy");
    }
  });

  test.each([
    ["content", "echo x >file", "contentHash"],
    ["permissions", "chmod 600 file", "permissions"],
    ["a removed file", "rm file", "contentHash"],
    ["removed lists", "rm -r /tmp/.pulumi-agb || rm -r ../../tmp/.pulumi-agb", "contentHash"],
  ])("a session's change of %s is seen by a refresh and repaired by the next update", async (_, change, property) => {
    const stack = await openFileStack({ host });
    const entry = await stack.create();
    await stack.session.shell(`cd ~; ${change}`);
    const found = await stack.refresh(entry);
    expect(found.outputs[property]).not.toBe(entry.outputs[property]);
    expect(found.inputs[property]).toBe(found.outputs[property]);
    expect(await stack.refresh(found)).toEqual(found);
    expect(await stack.diff(found)).toMatchObject({ replaces: [] });
    expect(await stack.update(found)).toEqual(entry);
    expect(await stack.session.shell("cat file; stat -c ' %a' file")).toBe("content 644\n");
    expect(await stack.refresh(entry)).toEqual(entry);
  });

  test("a session that is gone leaves the state as it is, and a delete then has nothing to do", async () => {
    const stack = await openFileStack({ host });
    const entry = await stack.create();
    await release(stack.session.emulator.url, stack.session.sessionId);
    expect(await stack.refresh(entry)).toEqual(entry);
    await stack.delete(entry);
    expect(said()).toBe("");
  });

  test("a wrong key is not taken for a session that is gone", async () => {
    const stack = await openFileStack({ host });
    const entry = await stack.create();
    stack.session.emulator.setApiKeys(["another"]);
    await expect(stack.refresh(entry)).rejects.toThrow("[AGB202]");
    await expect(stack.delete(entry)).rejects.toThrow("[AGB202]");
  });
});

test("a delete removes the file and its new folders", async () => {
  const stack = await openFileStack();
  const entry = await stack.create({ path: "/home/user/new/folder/file" });
  expect(await contentOf(stack, "new/folder/file")).toBe("content");
  await stack.delete(entry);
  expect(await stack.session.shell("ls -A")).toBe("");
});

test("a value that a preview does not know yet passes, and a known source has its hash already", async () => {
  const stack = await openFileStack();
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const all = { sessionId: unknown, source: unknown, path: unknown, permissions: unknown, contentHash: unknown };
  expect(await stack.check(all)).toMatchObject(all);
  expect(await stack.check({ sessionId: unknown })).toMatchObject({
    contentHash: (await stack.check())["contentHash"],
  });
});

test("a file that changes between check and create is not sent", async () => {
  const stack = await openFileStack();
  const folder = localFolder({ a: "a" });
  const inputs = await stack.check({ source: { file: join(folder, "a") } });
  writeFileSync(join(folder, "a"), "changed");
  await expect(stack.provider.create(inputs)).rejects.toThrow("[AGB938]");
  expect(stack.session.emulator.requestCounts().mcp).toBeUndefined();
});

describe("two resources with one file", () => {
  const archive = (...names: string[]) => ({
    path: "/home/user/app",
    source: { archive: Object.fromEntries(names.map((name) => [name, { text: "" }])) },
  });
  test.each([
    ["the same path", { path: "/home/user/app" }, { path: "/home/user/app" }, true],
    ["a file inside of a file", { path: "/home/user/app" }, { path: "/home/user/app/file" }, true],
    ["a folder inside of a file", { path: "/home/user/app" }, archive("a"), true],
    ["a file of a folder", archive("a", "b"), { path: "/home/user/app/a" }, true],
    ["a file below a file of a folder", archive("a"), { path: "/home/user/app/a/b" }, true],
    ["the same folder", archive("a"), archive("b"), true],
    ["another file in a folder", archive("a"), { path: "/home/user/app/b" }, false],
    ["a longer name", { path: "/home/user/app" }, { path: "/home/user/app2" }, false],
    ["another session", { path: "/home/user/app" }, { path: "/home/user/app", sessionId: "s-2" }, false],
  ])("%s", async (_, first, second, isRefused) => {
    for (const [one, other] of [
      [first, second],
      [second, first],
    ]) {
      const stack = await openFileStack();
      expect(await stack.problems(one, "first")).toEqual([]);
      const problems = await stack.problems(other, "second");
      expect(problems).toEqual(isRefused ? [expect.stringContaining('"first" already puts a file there')] : []);
    }
  });
});

test("the state of a folder stays small, however many files it has", async () => {
  const stack = await openFileStack();
  const files = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, "x".repeat(100)]));
  const entry: FileEntry = await stack.create({ path: "/home/user/app", source: { folder: localFolder(files) } });
  expect(JSON.stringify(entry.outputs).length).toBeLessThan(1_000);
});
