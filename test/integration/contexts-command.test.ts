import { startTestEmulator, testKey } from "../support/agb-emulator";
import { createContext, upload } from "../support/emulator-requests";
import { openTerminal } from "../support/terminal-command";

jest.setTimeout(120_000);

test("contexts are listed by name, as table, JSON or ids", async () => {
  const emulator = await startTestEmulator();
  const caches = await createContext(emulator.url, "caches", testKey);
  const bare = await createContext(emulator.url, "a 日本", testKey);
  const { run } = await openTerminal(emulator.url);

  expect(await run("contexts", "list")).toEqual({
    exitCode: 0,
    stdout: `${"CONTEXT ID".padEnd(bare.length)}   NAME\n${bare}   a 日本\n${caches}   caches\n`,
    stderr: "",
  });
  expect(JSON.parse((await run("contexts", "list", "--output", "json")).stdout)).toEqual([
    { contextId: bare, name: "a 日本" },
    { contextId: caches, name: "caches" },
  ]);
  expect((await run("contexts", "list", "--output", "ids")).stdout).toBe(`${bare}\n${caches}\n`);
});

test("an account without contexts has an empty list", async () => {
  const emulator = await startTestEmulator();
  const { run } = await openTerminal(emulator.url);
  const empty = { exitCode: 0, stderr: "note: There are no contexts.\n" };
  expect(await run("contexts", "list")).toEqual({ ...empty, stdout: "" });
  expect(await run("contexts", "list", "--output", "json")).toEqual({ ...empty, stdout: "[]\n" });
});

test("more than 50 contexts are shown with --all", async () => {
  const emulator = await startTestEmulator();
  for (let count = 0; count < 120; count += 1) {
    await createContext(emulator.url, `context-${count}`, testKey);
  }
  const { run } = await openTerminal(emulator.url);
  const first = await run("contexts", "list", "--output", "ids");
  expect(first.stdout.trim().split("\n")).toHaveLength(50);
  expect(first.stderr).toBe("note: These are 50 of 120 contexts. Add --all to list every one.\n");
  expect((await run("contexts", "list", "--output", "ids", "--all")).stdout.trim().split("\n")).toHaveLength(120);
});

test("a context is shown by its name or id, with its files", async () => {
  const emulator = await startTestEmulator();
  const id = await createContext(emulator.url, "caches", testKey);
  await upload(emulator.url, id, "/a", "1", testKey);
  await upload(emulator.url, id, "/folder/b", "2", testKey);
  const { run } = await openTerminal(emulator.url);

  const expected = { contextId: id, name: "caches", state: "available", files: 2, isEveryFileCounted: true };
  for (const key of ["caches", id]) {
    expect(JSON.parse((await run("contexts", "show", key, "--output", "json")).stdout)).toEqual(expected);
  }
  expect((await run("contexts", "show", "caches")).stdout).toBe(
    `Context id: ${id}\nName:       caches\nState:      available\nFiles:      2\n`,
  );
});

test.each(["nowhere", "SdkCtx-nowhere"])("a context that does not exist is a clear failure: %s", async (name) => {
  const emulator = await startTestEmulator();
  const { run } = await openTerminal(emulator.url);
  const { exitCode, stdout, stderr } = await run("contexts", "show", name);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toContain(`pulumi-agb contexts show: There is no context with the name or id ${name} at`);
  expect(stderr).toContain("[AGB634]");
});
