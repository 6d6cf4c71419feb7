import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { bundlePlugin } from "../../tools/plugin/bundle";
import { buildExecutable } from "../../tools/plugin/single-executable";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { makeTemporaryFolder } from "../support/node-process";
import { PluginClient, startEngine, urnOf } from "../support/plugin-client";
import { createResource } from "../support/plugin-stack";

// The plugin in a copy of Node.

jest.setTimeout(600_000);

const version = "9.8.7";
const urn = urnOf("agb:index:Session", "web");

let code: string;
let executable: Buffer;

beforeAll(async () => {
  code = await bundlePlugin({ version });
  executable = await buildExecutable(code);
}, 300_000);

async function start(parameters: readonly string[], environment: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const path = join(await makeTemporaryFolder(), "pulumi-resource-agb");
  await writeFile(path, executable, { mode: 0o755 });
  const child = spawn(path, parameters, { env: environment, stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "close");
  closeAfterTest({
    close: async () => {
      child.kill("SIGKILL");
      await exit;
    },
  });
  return child;
}

test("runs without a PATH, takes the engine's flags, and ends with its engine", async () => {
  const emulator = await startTestEmulator();
  const engine = await startEngine();
  const flags = ["--logtostderr", "-v=9", "--tracing", "file:./up.trace", engine.address];
  const child = await start(flags, { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
  const [port] = await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), "line");
  const plugin = PluginClient.connect(Number(port), engine);
  await plugin.configure({});
  expect(await plugin.version()).toBe(version);
  const { id, outputs } = await createResource(plugin, urn, { imageId: "agb-code-space-1" });
  expect(emulator.sessions()).toMatchObject([{ sessionId: id }]);
  await plugin.delete(urn, id, outputs);
  expect(emulator.sessions()).toEqual([]);

  const exit = once(child, "exit");
  child.stdin?.end();
  await exit;
});

test("the same code gives the same executable", async () => {
  expect((await buildExecutable(code)).equals(executable)).toBe(true);
});
