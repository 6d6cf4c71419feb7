// Runs AGB's own Python SDK, as its users install it, against the emulator. If AGB_ENDPOINT and AGB_API_KEY are set, the same
// scripts run against that service instead, and create and release sessions there.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { testWithEmulator, testWithPython, usePythonSdk } from "./python-sdk";

jest.setTimeout(240_000);

const sdk = usePythonSdk();

const scripts = ["session_life_cycle", "session_pages", "context_life_cycle", "context_persistence", "tools", "links"];
testWithPython.each(scripts)("%s", (name) => sdk.run(name));

testWithEmulator("keep_alive", () => sdk.run("keep_alive"));

describe("the command", () => {
  let child: ChildProcess | undefined;

  afterEach(async () => {
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const end = once(child, "exit");
      // Kill the group, because npx starts the command as its child.
      process.kill(-child.pid, "SIGKILL");
      await end;
    }
  });

  testWithEmulator("serves the SDK's quick start", async () => {
    child = spawn("npx", ["--no-install", "pulumi-agb", "emulator", "--allow-exec"], {
      cwd: join(__dirname, "..", ".."),
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    const lines = createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> });
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`the command ended with ${code} before it listened`);
    });
    // It also rejects after the test, when the command is killed.
    ended.catch(() => {});
    const [line] = await Promise.race([once(lines, "line"), ended]);
    const url = String(line).split(" ").at(-1) ?? "";

    await sdk.run("quick_start", {}, { endpoint: url, apiKey: "unused", advance: undefined });
  });
});
