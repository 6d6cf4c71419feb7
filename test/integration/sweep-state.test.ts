// The state that the command `sweep` uses.

import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { testKey } from "../support/agb-emulator";
import { runBounded } from "../support/bounded-process";
import { hosts } from "../support/resource-hosts";
import {
  command,
  exportOf,
  openEmulator,
  openSweep,
  otherStackId,
  ownLabels,
  stackId,
  stackOf,
} from "../support/sweep-command";

describe.each(hosts)("a state with resources of the host %s", (host) => {
  const { ownLabels, stateRow, contextRow, stateWith } = stackOf(host);

  test("refuses a service where the stack has no session: it knows none of the stack's sessions", async () => {
    const { emulator, make, running } = await openEmulator();
    const orphan = await make(ownLabels(60));
    const rows = [stateRow("session-1", ownLabels(60), "http://127.0.0.1:9")];
    const { sweep } = await openSweep(emulator.url, stateWith(rows));
    const { exitCode, stderr } = await sweep("--yes");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `were created at http://127.0.0.1:9, but the sweep asked ${emulator.url}. Nothing was released.`,
    );
    expect(running()).toEqual([orphan]);
  });

  test("may hold contexts, which do not count as sessions, and are neither looked up nor released", async () => {
    const { emulator, make, running } = await openEmulator();
    const [known, orphan] = [await make(ownLabels(60)), await make(ownLabels(60))];
    // The context's service says nothing about where the stack's sessions are.
    const rows = [contextRow("SdkCtx-1", "http://127.0.0.1:9"), stateRow(known, ownLabels(60), emulator.url)];
    const { sweep } = await openSweep(emulator.url, stateWith(rows));
    const { exitCode, stdout } = await sweep("--yes");
    expect(stdout).toMatch(new RegExp(`^released: ${orphan} `));
    expect(stdout).not.toContain("SdkCtx");
    expect(exitCode).toBe(0);
    expect(running()).toEqual([known]);
    const operations = Object.keys(emulator.requestCounts());
    expect(operations.filter((operation) => /context/i.test(operation))).toEqual([]);
  });
});

describe("a state that must not decide", () => {
  async function refused(stateText: string, ...parameters: string[]) {
    const { emulator, make, running } = await openEmulator();
    await make(ownLabels(60));
    const { sweep } = await openSweep(emulator.url, stateText);
    const { exitCode, stderr } = await sweep("--yes", ...parameters);
    expect(exitCode).toBe(1);
    expect(running()).toHaveLength(1);
    expect(emulator.requestCounts()).toEqual({ createSession: 1 });
    return stderr;
  }

  test.each([
    [["--stack", "production"], "not to shop/production"],
    [["--stack", "acme/shop/production"], "not to shop/production"],
    [["--project", "bank"], "not to bank/dev"],
  ])("belongs to another stack than %j", async (parameters, reason) => {
    const text = await refused(exportOf([]), ...(parameters as string[]));
    expect(text).toContain(`The state belongs to shop/dev, ${reason}`);
  });

  test.each(["", "{}", "oops"])("is broken: %j", async (text) => {
    expect(await refused(text, "--stack", "dev", "--project", "shop")).toContain("state.json: it is not");
  });

  test("is empty and names no stack", async () => {
    const text = await refused('{"version":3,"deployment":{}}');
    expect(text).toContain("The stack to sweep is not known. Add --project NAME and --stack NAME. [AGB608]");
  });
});

test("a missing state file is named", async () => {
  const { run } = await openSweep("http://127.0.0.1:9");
  const { exitCode, stderr } = await run(["--state", "missing.json"]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("Cannot read the state file missing.json");
});

describe("the state from the Pulumi CLI", () => {
  /** A fake `pulumi` that prints what a test gives it. */
  async function pulumiThat(folder: string, script: string): Promise<string> {
    const path = join(folder, "pulumi");
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return [folder, process.env["PATH"] ?? ""].join(delimiter);
  }

  test("is read for the stack that is named", async () => {
    const { emulator, make, running } = await openEmulator();
    const known = await make(ownLabels(60));
    await make(ownLabels(60));
    const { run, folder } = await openSweep(emulator.url, exportOf([known]));
    const path = await pulumiThat(
      folder,
      'echo "$*" >>calls; if [ "$1" = config ]; then echo {}; else cat state.json; fi',
    );
    const { exitCode } = await run(["--yes", "--stack", "dev"], path);
    expect(exitCode).toBe(0);
    expect(running()).toEqual([known]);
    expect(await readFile(join(folder, "calls"), "utf8")).toBe(
      "stack export --stack dev --non-interactive\nconfig --json --show-secrets --stack dev --non-interactive\n",
    );
  });

  test("comes with the stack's configuration, which wins over the environment as it does for `pulumi up`", async () => {
    const { emulator, make, running } = await openEmulator();
    await make(ownLabels(60));
    const { folder } = await openSweep(emulator.url);
    const config = { "agb:endpoint": { value: emulator.url }, "agb:apiKey": { value: testKey, secret: true } };
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    const path = await pulumiThat(folder, 'if [ "$1" = config ]; then cat config.json; else cat state.json; fi');
    const { exitCode, stdout } = await runBounded(process.execPath, [command, "sweep", "--yes"], {
      directory: folder,
      environment: { PATH: path, AGB_API_KEY: "another-key", AGB_ENDPOINT: "http://127.0.0.1:9" },
      timeoutMs: 60_000,
    });
    expect(stdout).toMatch(/^released: /);
    expect(exitCode).toBe(0);
    expect(running()).toEqual([]);
  });

  test("may be empty after a destroy: project and stack then come from the folder", async () => {
    const { emulator, make, running } = await openEmulator();
    const leftOver = await make(ownLabels(60));
    const { run, folder } = await openSweep(emulator.url);
    await writeFile(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
    const path = await pulumiThat(
      folder,
      'case "$*" in config*) echo {} ;; *show-name*) echo acme/dev ;; *) echo \'{"version":3,"deployment":{}}\' ;; esac',
    );
    const { exitCode, stdout } = await run(["--yes"], path);
    expect(stdout).toContain(`left: ${leftOver}`);
    expect(stdout).toContain(`release its sessions with --stack-id ${stackId}`);
    expect(exitCode).toBe(2);
    expect(running()).toEqual([leftOver]);
  });

  test("is missing: nothing is released, and the message says what to do when the stack was removed", async () => {
    const { emulator, make, running } = await openEmulator();
    await make(ownLabels(60));
    const { run, folder } = await openSweep(emulator.url);
    const path = await pulumiThat(folder, "echo \"error: no stack named 'dev' found\" >&2; exit 1");
    const { exitCode, stderr } = await run(["--yes", "--stack", "dev"], path);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("The stack dev does not exist in this backend.");
    expect(stderr).toContain("If the stack was removed, add --stack-is-gone. [AGB607]");
    expect(running()).toHaveLength(1);
  });

  test("cannot be read without the CLI: nothing is released, and the message says so", async () => {
    const { emulator, make, running } = await openEmulator();
    await make(ownLabels(60));
    const { run, folder } = await openSweep(emulator.url);
    const { exitCode, stderr } = await run(["--yes", "--stack", "dev"], folder);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("The Pulumi CLI was not found. Install it, and put `pulumi` on the PATH.");
    expect(stderr).toContain("name an exported state with --state FILE");
    expect(running()).toHaveLength(1);
  });

  test.each(hosts)(
    "is not read with --stack-is-gone, which releases only sessions with a named id: %s",
    async (host) => {
      const { id: stackId, ownLabels } = stackOf(host);
      const { emulator, make, running } = await openEmulator();
      await make(ownLabels(60));
      const live = await make(ownLabels(60, { "pulumi-stack-id": otherStackId }));
      const { run, folder } = await openSweep(emulator.url);
      await writeFile(join(folder, "Pulumi.yaml"), 'name: "shop"\nruntime: nodejs\n');
      const path = await pulumiThat(folder, "touch asked; exit 1");
      const isGone = ["--yes", "--stack-is-gone", "--stack", "dev"];
      const unnamed = await run(isGone, path);
      expect(unnamed.exitCode).toBe(2);
      expect(unnamed.stdout).toContain(`release its sessions with --stack-id ${stackId}`);
      expect(unnamed.stdout).toContain(`release its sessions with --stack-id ${otherStackId}`);
      expect(running()).toHaveLength(2);
      const { exitCode, stderr } = await run([...isGone, "--stack-id", stackId], path);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(running()).toEqual([live]);
      expect(await readdir(folder)).not.toContain("asked");
    },
  );

  test.each(["dev", "0123456789ABCDEF", ""])("a stack id %j is refused", async (id) => {
    const { sweep } = await openSweep("http://127.0.0.1:9");
    const { exitCode, stderr } = await sweep("--stack-id", id);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("Give an id that the sweep has printed.");
  });

  test("cannot be read from a file with --stack-is-gone", async () => {
    const { sweep } = await openSweep("http://127.0.0.1:9");
    const { exitCode, stderr } = await sweep("--stack-is-gone");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("cannot be used with");
  });
});
