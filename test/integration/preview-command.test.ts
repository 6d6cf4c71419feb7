// The command `preview-environment` with a fake Pulumi: what it prints, and what it leaves in the folder.

import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { typeTokens } from "../../provider/type-tokens";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { startBounded } from "../support/bounded-process";
import { closeAfterTest } from "../support/close-after-test";
import { createId } from "../support/emulator-requests";
import { makeTemporaryFolder, repositoryRoot } from "../support/node-process";
import { hosts } from "../support/resource-hosts";

const command = join(repositoryRoot, "dist", "cli", "main.js");
const up = ["up", "--request", "12", "--commit", "9f3c2e1"];

// There is no stack until one is created. Then its state is empty.
const stackCommands =
  'if [ "$1 $2" = "stack select" ]; then touch made; exit 0; fi\n' +
  'if [ "$1 $2" = "stack export" ] && [ ! -e made ]; then exit 6; fi\n' +
  'if [ "$1 $2" = "stack export" ] && [ ! -e broken ]; then echo \'{"deployment":{"resources":[]}}\'; exit 0; fi\n';

/** A project's folder with a `pulumi`. The script gets its subcommand as $1. */
async function openProject(pulumi: string | undefined, more: Readonly<Record<string, string>> = {}) {
  const folder = await makeTemporaryFolder();
  await writeFile(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
  if (pulumi !== undefined) {
    await writeFile(join(folder, "pulumi"), `#!/bin/sh\n${pulumi}\n`);
    await chmod(join(folder, "pulumi"), 0o755);
  }
  const start = (...parameters: string[]) => {
    const running = startBounded(process.execPath, [command, "preview-environment", ...parameters], {
      directory: folder,
      environment: { PATH: [folder, "/usr/bin", "/bin"].join(delimiter), GITHUB_ACTIONS: "true", ...more },
      timeoutMs: 60_000,
    });
    closeAfterTest({ close: () => running.kill() });
    return running;
  };
  const read = (name: string) => readFile(join(folder, name), "utf8").catch(() => "");
  const notes = async () => (await readdir(folder)).filter((name) => name.startsWith(".pulumi-agb-run"));
  return { folder, start, read, notes };
}

test("Pulumi's output is never a command to the CI system, and a note is in the folder while it runs", async () => {
  const { start, read, notes } = await openProject(
    stackCommands +
      // The note is written just after this process has started.
      'n=0; while [ "$1" = up ] && [ ! -e .pulumi-agb-run-pr-12.json ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done\n' +
      'if [ "$1" = up ]; then cat .pulumi-agb-run-pr-12.json > seen; echo "$$" > pid; echo "::add-mask::x"; touch broken; exit 3; fi\n' +
      'printf "%s" "::add-mask::y" >&2; exit 1',
  );
  const { exitCode, stdout } = await start(...up).result;
  expect(exitCode).toBe(3);
  expect(stdout).toMatch(/^::stop-commands::(.+)\n::add-mask::x\n\n::\1::$/m);
  expect(stdout).toMatch(
    /^::warning::Could not read the state of pr-12, so no app was checked: .*%0A: :add-mask::y%0A.* \[AGB603\]$/m,
  );
  expect(JSON.parse(await read("seen"))).toMatchObject({ stack: "pr-12", pid: Number(await read("pid")) });
  expect(await notes()).toEqual([]);
});

test("a killed Pulumi leaves its note, and `recover` cleans up its stack", async () => {
  const emulator = await startTestEmulator();
  const { start, notes } = await openProject(`${stackCommands}if [ "$1" = up ]; then kill -9 $$; fi`, {
    AGB_API_KEY: testKey,
    AGB_ENDPOINT: emulator.url,
  });
  expect((await start(...up).result).exitCode).toBe(137);
  expect(await notes()).toEqual([".pulumi-agb-run-pr-12.json"]);
  const { exitCode, stdout } = await start("recover", "--request", "12").result;
  expect(exitCode).toBe(0);
  expect(stdout).toContain("pr-12 is no longer locked.");
  expect(await notes()).toEqual([]);
});

test.each(hosts)(
  "`up` asks AGB, as the environment says, whose sessions a state with secret labels holds: %s",
  async (host) => {
    const emulator = await startTestEmulator();
    const sessionId = await createId(
      emulator.url,
      { "pulumi-project": "shop", "pulumi-stack": "pr-12", "pulumi-repository": "github.com/repositories/99" },
      {},
      testKey,
    );
    const { start, read, folder } = await openProject(
      'echo "$1 $2" >> calls; if [ "$1 $2" = "stack export" ]; then cat state.json; fi',
      {
        AGB_API_KEY: testKey,
        AGB_ENDPOINT: emulator.url,
        GITHUB_REPOSITORY: "acme/shop",
        GITHUB_REPOSITORY_ID: "81",
        GITHUB_SERVER_URL: "https://github.com",
      },
    );
    const type = typeTokens.session[host];
    const labelsAll = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:x" };
    const resources = [{ urn: `urn:pulumi:pr-12::shop::${type}::web`, type, id: sessionId, outputs: { labelsAll } }];
    await writeFile(join(folder, "state.json"), JSON.stringify({ deployment: { resources } }));
    const { exitCode, stderr } = await start(...up).result;
    expect(exitCode).toBe(1);
    expect(stderr).toContain("holds sessions of another repository: github.com/repositories/99");
    expect(await read("calls")).toBe("stack export\n");
  },
);

test("an error is one annotation, however many lines it has", async () => {
  const { start } = await openProject("echo '::add-mask::x' >&2; echo 'and more' >&2; exit 255");
  const { exitCode, stderr } = await start(...up).result;
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /^::error::pulumi-agb preview-environment up: .* exit code 255:%0A: :add-mask::x%0Aand more%0A.* \[AGB603\]\n$/,
  );
});

test("without the Pulumi CLI the message says so, and no note is left", async () => {
  const { start, notes } = await openProject(undefined, { PATH: dirname(process.execPath) });
  const { exitCode, stderr } = await start(...up).result;
  expect(exitCode).toBe(1);
  expect(stderr).toContain("The Pulumi CLI was not found");
  expect(await notes()).toEqual([]);
});

test.each([
  ["when the command was killed", ["SIGKILL"]],
  ["also when the command had passed a signal on before it was killed", ["SIGINT", "SIGKILL"]],
] as const)("`recover` asks a Pulumi that is still running to end once, %s", async (_, signals) => {
  const emulator = await startTestEmulator();
  const { start, read, notes } = await openProject(
    stackCommands +
      'if [ "$1" = up ]; then trap "echo asked >> signals" INT\n' +
      // The note is written just after this process has started.
      "n=0; while [ ! -e .pulumi-agb-run-pr-12.json ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done\n" +
      "echo up > ready; n=0\n" +
      'while [ $n -lt 30 ]; do sleep 0.1; n=$((n + 1)); done; echo "ended" >> signals; fi\n' +
      'if [ "$1" = cancel ]; then cat signals > cancelled; fi',
    { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
  );
  const job = start(...up);
  let hasEnded = false;
  void job.result.finally(() => {
    hasEnded = true;
  });
  while (!hasEnded && (await read("ready")) === "") {
    await sleep(20);
  }
  for (const signal of signals) {
    job.send(signal);
    await sleep(300);
  }
  expect(await notes()).toEqual([".pulumi-agb-run-pr-12.json"]);
  const { exitCode, stdout } = await start("recover", "--request", "12").result;
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/was still running\. It has ended now\.\npr-12 is no longer locked\./);
  expect(await read("cancelled")).toBe("asked\nended\n");
  expect(await notes()).toEqual([]);
});

test.each([["up"], ["down"], ["recover"], ["sweep"]])(
  "the help of `%s` fits the screen and names the exit codes",
  async (name) => {
    const { start } = await openProject(undefined);
    const { stdout } = await start(name, "--help").result;
    const lines = stdout.split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).toMatch(/^Exit codes:\n {2}0 /m);
  },
);
