// Commands where the emulator cannot isolate sessions: scripts see the file system of this computer.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plainView } from "../../provider/emulator/sandbox/find-session-view";
import { findInterpreters } from "../../provider/emulator/sandbox/interpreters";
import { Keeper } from "../../provider/emulator/sandbox/keeper";
import { Sandbox } from "../../provider/emulator/sandbox/sandbox";
import { writeFile } from "../../provider/emulator/tools/files";
import { shell } from "../../provider/emulator/tools/shell";
import { type CommandSpec, forgetRuns, newRunIdentity } from "../../provider/lifecycle/command-run";
import { systemClock } from "../../provider/lifecycle/wait";
import { openClient } from "../support/agb-client";
import { commandLines } from "../support/command-lines";
import { runCommand } from "../support/run-command";
import { uniqueSeconds } from "../support/sandbox-emulator";
import { sendSuccess, startScriptedServer } from "../support/scripted-server";

let folder: string;
let keeper: Keeper;
let sandbox: Sandbox;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "agb plain-")));
  keeper = new Keeper("AGB_EMULATOR_SESSION=plain-command/", folder, false);
  const limits = { timeLimitMs: 30_000, outputLimitBytes: 1024 * 1024 };
  const shared = { view: plainView, interpreters: await findInterpreters(), keeper, mark: "plain-command/", limits };
  sandbox = new Sandbox("session-a", join(folder, "root"), shared);
  await sandbox.makeFolders([]);
});
afterAll(async () => {
  await sandbox.end();
  await keeper.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A client of a server that calls the tools in the sandbox. */
async function openSandboxClient() {
  const server = await startScriptedServer(async ({ body }, response) => {
    const { name, args } = JSON.parse(body) as { name: string; args: string };
    const result = await (name === "shell" ? shell : writeFile)(sandbox, JSON.parse(args));
    sendSuccess(response, { data: result });
  });
  return openClient(server.url, { timeoutMs: 60_000 });
}

async function run(spec: Partial<CommandSpec> & { readonly command: string }) {
  const client = await openSandboxClient();
  const identity = newRunIdentity();
  const result = await runCommand(
    client,
    "session-a",
    identity,
    { timeoutSeconds: 60, ...spec },
    { clock: systemClock },
  );
  await forgetRuns(client, "session-a", identity);
  return result;
}

test("a command starts in the session's home directory or in another directory of the session", async () => {
  const home = join(folder, "root", "home", "user");
  mkdirSync(join(home, "my app"));
  writeFileSync(join(home, "my app", "file"), "content");

  expect((await run({ command: "pwd" })).stdout.text).toBe(`${home}\n`);
  const { stdout } = await run({ command: "pwd; cat file", workingDirectory: "/home/user/my app" });
  expect(stdout.text).toBe(`${join(home, "my app")}\ncontent`);
  expect(await run({ command: "true", workingDirectory: "/home/user/other" })).toMatchObject({
    reason: "no directory",
  });
});

test("a command gets its environment and its standard input", async () => {
  const { stdout } = await run({ command: 'cat; echo "$NAME"', environment: { NAME: "it's" }, stdin: "input\n" });
  expect(stdout.text).toBe("input\nit's\n");
});

test("the time limit ends a command with its children", async () => {
  const seconds = uniqueSeconds();
  const result = await run({ command: `sleep ${seconds} & sleep ${seconds}`, timeoutSeconds: 1 });
  expect(result).toMatchObject({ reason: "timed out", exitCode: 143 });
  expect(commandLines()).not.toContain(`sleep ${seconds}`);
});
