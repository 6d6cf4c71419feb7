// Runs AGB's own Python SDK, as its users install it, against the emulator. If AGB_ENDPOINT and AGB_API_KEY are set, the same
// scripts run against that service instead, and create and release sessions there.

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Emulator, startEmulator } from "../../provider/emulator";
import "../support/await-pulumi-cli";
import { closeAfterTest } from "../support/close-after-test";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";
import { findPython, installPythonPackages } from "../support/python-environment";
import { runScript, type ScriptTarget } from "./python-script";

jest.setTimeout(240_000);

const { AGB_ENDPOINT: endpoint, AGB_API_KEY: apiKey, CI } = process.env;
const isService = Boolean(endpoint && apiKey);
const found = findPython();
if (found === undefined) {
  if (CI) {
    throw new Error("The conformance tests need Python 3.10 or newer, but it is not installed. Install it.");
  }
  process.stderr.write("\n*** Conformance tests SKIPPED: they need Python 3.10 or newer. ***\n\n");
}
const testWithPython = found === undefined ? test.skip : test;
const testWithEmulator = found === undefined || isService ? test.skip : test;
let python: string;
let emulator: Emulator | undefined;
let target: ScriptTarget;
let aheadMs = 0;

beforeAll(async () => {
  if (found === undefined) {
    return;
  }
  python = join(await installPythonPackages(found, "agbcloud-sdk", join(__dirname, "requirements.txt")), "python");
  if (isService) {
    target = { endpoint: endpoint as string, apiKey: apiKey as string, advance: undefined };
    return;
  }
  // Real time that can be advanced, because the SDK also waits by the computer's clock.
  emulator = await startEmulator({
    allowExec: true,
    apiKeys: ["test-key"],
    clock: { now: () => Date.now() + aheadMs },
  });
  const advance = (ms: number) => {
    aheadMs += ms;
  };
  target = { endpoint: emulator.url, apiKey: "test-key", advance };
}, 600_000);
afterAll(() => emulator?.close());

const scripts = ["session_life_cycle", "session_pages", "context_life_cycle", "context_persistence", "tools", "links"];
testWithPython.each(scripts)("%s", (name) => runScript(python, name, target));

testWithEmulator("keep_alive", () => runScript(python, "keep_alive", target));

/** One context, and a session that mounts it unless it is left out. */
function program(contextName: string, path: string, hasSession: boolean): string {
  return `
    const { AgbContext, AgbSession } = require("pulumi-agb");
    const data = new AgbContext("data", { name: ${JSON.stringify(contextName)}, forceDestroy: true });
    exports.contextId = data.contextId;
    if (${hasSession}) {
      const contextSyncs = [{ contextId: data.contextId, path: ${JSON.stringify(path)} }];
      exports.sessionId = new AgbSession("web", { imageId: "agb-code-space-1", contextSyncs }).sessionId;
    }
  `;
}

testWithPython("the SDK finds the mount and the files of sessions that pulumi up creates with a context", async () => {
  const contextName = `conformance-${randomUUID()}`;
  const path = "/home/user/data";
  const project = closeAfterTest(
    await createPulumiProject({
      files: javascriptFiles(program(contextName, path, true)),
      environment: { AGB_ENDPOINT: target.endpoint, AGB_API_KEY: target.apiKey },
    }),
  );
  try {
    await project.up();
    const first = await project.outputs();
    const variables = { CONTEXT_NAME: contextName, CONTEXT_ID: first["contextId"], MOUNT_PATH: path };
    const firstSession = { ...variables, SESSION_ID: first["sessionId"] };
    await runScript(python, "mounted_session", target, { ...firstSession, NEW_FILE: "first.txt" });

    await project.write("index.js", program(contextName, path, false));
    await project.up();
    await runScript(python, "mounted_files", target, { ...firstSession, EXPECTED_FILE: "first.txt" });

    await project.write("index.js", program(contextName, path, true));
    await project.up();
    const { sessionId } = await project.outputs();
    const secondSession = { ...variables, SESSION_ID: sessionId, EXPECTED_FILE: "first.txt", NEW_FILE: "second.txt" };
    await runScript(python, "mounted_session", target, secondSession);
  } finally {
    await project.destroy();
  }
});

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

    await runScript(python, "quick_start", { endpoint: url, apiKey: "unused", advance: undefined });
  });
});
