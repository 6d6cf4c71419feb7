import { systemClock } from "../../provider/lifecycle/wait";
import { parseStackState } from "../../provider/pulumi/stack-state";
import { sweepStack } from "../../provider/sweep/sweep-stack";
import { openClient } from "../support/agb-client";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { startHesitantAgb } from "../support/hesitant-agb";
import { failureOfCall, providerId, startEngine, urnOf } from "../support/plugin-client";
import { type PluginProcess, startPluginProcess } from "../support/plugin-process";
import { createResource } from "../support/plugin-stack";

// The program that the engine starts, built as users get it.

const urn = urnOf("agb:index:Session", "web");
const inputs = { imageId: "agb-code-space-1", labels: {}, labelsAll: {} };

async function startPlugin(url: string, parameters?: readonly string[]): Promise<PluginProcess> {
  const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: url };
  const started = await startPluginProcess(environment, parameters && { parameters });
  await started.plugin.configure({});
  return started;
}

test("the process prints its port and nothing else, whatever flags come before the engine's address", async () => {
  const emulator = await startTestEmulator();
  const engine = await startEngine();
  const flags = ["--logtostderr", "-v=9", "--tracing", "file:./up.trace", engine.address];
  const { plugin, stdout } = await startPlugin(emulator.url, flags);
  const schema = JSON.parse(await plugin.schema());
  expect(schema).toMatchObject({ name: "agb", version: await plugin.version() });
  expect(schema.version).toMatch(/^\d+\.\d+\.\d+/);
  const { id, outputs } = await createResource(plugin, urn, { imageId: "agb-code-space-1" });
  await plugin.delete(urn, id, outputs);
  expect(stdout()).toMatch(/^\d+\n$/);
});

test("a declaration that is too long for a message of Node is refused with its size, and the process goes on", async () => {
  const emulator = await startTestEmulator();
  const { plugin } = await startPlugin(emulator.url);
  const declared = { sessionId: "session-1", create: "true", stdin: "x".repeat(130_000_000) };
  const { failures } = await plugin.checkStrings(urnOf("agb:index:Command", "build"), declared);
  expect(failures).toEqual([expect.stringContaining("stdin: has 130000000 bytes")]);
  expect((await createResource(plugin, urn, { imageId: "agb-code-space-1" })).id).toBeDefined();
});

test("the first Ctrl-C cancels nothing: what is being created is finished", async () => {
  const { server, answer, arrived } = await startHesitantAgb();
  const { plugin } = await startPlugin(server.url);
  const created = plugin.create(urn, inputs);
  await arrived;
  await plugin.cancel();
  const { details } = await failureOfCall(plugin.create(urn, { ...inputs, imageId: "probe" }));
  expect(details).not.toContain("the run ended");
  answer();
  expect(await created).toMatchObject({ id: "session-1" });
});

test("a plugin that the engine did not start tells an engine that attaches itself", async () => {
  const emulator = await startTestEmulator();
  const { plugin, engine } = await startPlugin(emulator.url, []);
  const { id, inputs: declared, outputs } = await createResource(plugin, urn, { imageId: "agb-code-space-1" });
  await plugin.attach(engine);
  await plugin.configure({ apiKey: "old-key" });
  await plugin.read(urn, id, outputs, declared);
  const message = expect.stringMatching(/^AGB refused the key from agb:apiKey; .* \[AGB202\]$/);
  expect(engine.logged).toEqual([{ message, severity: "info", urn: "" }]);
});

test("a plugin that is killed during a create leaves a session that the sweep finds by its labels", async () => {
  const emulator = await startTestEmulator();
  emulator.addFault({ operation: "createSession", when: "after", delayMs: 60_000, calls: 1 });
  const { plugin, signal, ended } = await startPlugin(emulator.url);
  const { inputs: declared } = await plugin.check(urn, { imageId: "agb-code-space-1" });
  const lost = failureOfCall(plugin.create(urn, declared));
  await until(() => emulator.sessions().length === 1);
  signal("SIGKILL");
  await ended();
  await lost;
  const [orphan] = emulator.sessions();
  expect(orphan?.labels).toMatchObject({ "pulumi-create": expect.any(String), "pulumi-stack-id": providerId });

  // The next `up` creates another session, whose create label the state knows.
  const next = await startPlugin(emulator.url);
  const web = await createResource(next.plugin, urn, { imageId: "agb-code-space-1" });
  const state = parseStackState(
    JSON.stringify({
      version: 3,
      deployment: {
        resources: [
          { urn: "urn:pulumi:dev::shop::pulumi:providers:agb::default", type: "pulumi:providers:agb", id: providerId },
          { urn, type: "agb:index:Session", id: web.id, custom: true, inputs: web.inputs, outputs: web.outputs },
        ],
      },
    }),
  );
  const options = {
    name: { project: "shop", stack: "dev" },
    state,
    baseUrl: emulator.url,
    stackIds: [],
    repository: undefined,
    includesUnidentified: false,
    minimumAgeMs: 0,
    release: true,
  };
  const { orphans } = await sweepStack(openClient(emulator.url), options, systemClock);
  expect(orphans).toMatchObject([{ sessionId: orphan?.sessionId, action: "released" }]);
  expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual([web.id]);
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) {
    await new Promise(setImmediate);
  }
}
