import { openServedPackage } from "../../provider/plugin/served-package";
import { testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { createId } from "../support/emulator-requests";
import { expectGolden, type GoldenMessage, goldenMessages } from "../support/golden-messages";
import { literalsIn, sourceFiles } from "../support/message-literals";
import { failureOfCall, PluginClient, urnOf } from "../support/plugin-client";
import { createResource, openPluginStack } from "../support/plugin-stack";
import { deadAddress } from "../support/scripted-server";

// The messages that only a plugin has. `messages.test.ts` has those that it shares with the dynamic provider.

const urn = urnOf("agb:index:Session", "web");
const imageId = "agb-code-space-1";

test("messages of the plugin", async () => {
  const { plugin, emulator } = await openPluginStack({}, { allowExec: true });
  const labels = { "pulumi-project": "shop", "pulumi-stack": "prod", "pulumi-resource": "web" };
  const foreign = await createId(emulator.url, labels, {}, testKey);
  const otherStack = { ...labels, "pulumi-stack": "dev", "pulumi-stack-id": "0123456789abcdef" };
  const namesake = await createId(emulator.url, otherStack, {}, testKey);
  const failure = async (call: Promise<unknown>) => (await failureOfCall(call)).details;
  const problems = async (type: string, news: object) =>
    (await plugin.check(urnOf(`agb:index:${type}`, "web"), { ...news })).failures.join("\n");
  const imported = async (situation: string, type: string, id: string): Promise<GoldenMessage> => [
    situation,
    await failure(plugin.import(urnOf(`agb:index:${type}`, "web"), id)),
  ];
  const invoked = (name: string, args: object) => failure(plugin.invoke(`agb:index:${name}`, { ...args }));
  const { failures } = await plugin.checkConfig({ endpont: "agb.example.com" });
  const commandUrn = urnOf("agb:index:Command", "build");
  const command = await createResource(plugin, commandUrn, { sessionId: foreign, create: "true", delete: "exit 3" });
  const web = await createResource(plugin, urn, { imageId });
  emulator.addFault({ operation: "releaseSessionAsync", delayMs: 60_000, calls: 1 });
  const slowRelease = await failure(plugin.delete(urn, web.id, web.outputs, { timeout: 1 }));
  emulator.addFault({
    operation: "createSession",
    calls: 1,
    answer: { status: 400, body: { success: false, code: "InvalidContext", message: "no", requestId: "R-1" } },
  });
  const contextSyncs = [{ contextId: "SdkCtx-1", path: "/home/user/cache" }];
  const refusedMount = await failure(createResource(plugin, urn, { imageId, contextSyncs }));
  emulator.setApiKeys(["another"]);
  const wrongKey = await failure(plugin.read(urn, web.id, web.outputs, web.inputs));
  emulator.setApiKeys([testKey]);
  expectGolden("plugin", [
    await imported("an import of a session that does not exist", "Session", "agb-code-space-1/session-1"),
    await imported("an import of a session of another stack", "Session", foreign),
    await imported("an import of a session of another stack with the same name", "Session", namesake),
    await imported("an import of a context that does not exist", "Context", "build-cache"),
    await imported("an import of a command", "Command", "build"),
    await imported("an import of a file", "File", "config"),
    ["a look-up of a session that does not exist", await failure(plugin.read(urn, "session-1", {}, {}))],
    [
      "a look-up of a context that does not exist",
      await failure(plugin.read(urnOf("agb:index:Context", "cache"), "SdkCtx-1", {}, {})),
    ],
    ["a function that finds no session", await invoked("getSession", { sessionId: "session-1" })],
    ["a function that finds no context", await invoked("getContext", { name: "build-cache" })],
    ["a function without an argument", await invoked("getSessionLink", { sessionId: "session-1" })],
    ["a function with an argument of another version", await invoked("getContext", { name: "a", region: "eu" })],
    [
      "properties of another version, and one that is missing",
      await problems("Session", { region: "eu", imagId: "x" }),
    ],
    ["a required property that is missing", await problems("Command", { sessionId: foreign })],
    ["a source that is no asset", await problems("File", { sessionId: foreign, path: "/tmp/a", source: 5 })],
    ["a script that is too large", await problems("Command", { sessionId: foreign, create: "x".repeat(1_048_577) })],
    ["a session to adopt that is no object", await problems("Session", { imageId, adopt: "session-1" })],
    ["a mount that AGB refuses", refusedMount],
    ["a release that takes longer than customTimeouts", slowRelease.replace(/within \d+ ms/, "within 1000 ms")],
    ["a command whose delete fails", await failure(plugin.delete(commandUrn, command.id, command.outputs))],
    ["a key that AGB refuses", wrongKey],
    ["an unknown setting", failures.join("\n")],
    ["an empty key", (await plugin.checkConfig({ apiKey: "" })).failures.join("\n")],
    ["a type of another version", await problemsOfType(plugin, "Sandbox")],
    ["a function of another version", await invoked("getSandbox", {})],
    ["no key", (await withoutSettings()).join("\n")],
    ["nothing at the endpoint", await nothingAt(await deadAddress())],
    ["an engine that does not say which provider it is", await withoutProviderId(plugin)],
  ]);
});

test("no message of the plugin speaks of the classes and functions of the npm package", () => {
  const messages = goldenMessages().filter(({ subject }) => subject === "plugin");
  expect(messages.length).toBeGreaterThan(20);
  const wrong = messages.filter(({ message }) => /\b(get)?Agb[A-Z]|new pulumi|\bclass/.test(message));
  expect(wrong).toEqual([]);
});

test("no sentence that the kinds, or what they use, can say speaks of them", () => {
  const places = ["config.ts", "kinds", "lifecycle", "api", "messages/call-failure-code.ts", "hosts/plugin", "plugin"];
  const sentences = literalsIn(sourceFiles(places.map((place) => `provider/${place}`))).filter(
    // The dynamic host alone has no stack, and with it this one error.
    ({ file, text }) => text.includes(" ") && !file.endsWith("stack-identity.ts"),
  );
  expect(sentences.length).toBeGreaterThan(100);
  expect(sentences.filter(({ text }) => /\b(get)?Agb[A-Z]\w*|new pulumi/.test(text))).toEqual([]);
});

async function problemsOfType(plugin: PluginClient, type: string): Promise<string> {
  return (await failureOfCall(plugin.check(urnOf(`agb:index:${type}`, "web"), {}))).details;
}

/** What the plugin says of settings without a key. */
async function withoutSettings(): Promise<string[]> {
  const plugin = await openPlugin({});
  const { failures } = await plugin.checkConfig({});
  await plugin.configure({});
  // Old settings may never have been checked, as those of a state.
  expect((await plugin.check(urn, { imageId })).failures).toEqual(failures);
  return failures;
}

async function nothingAt(address: string): Promise<string> {
  const plugin = await openPlugin({ AGB_API_KEY: testKey });
  await plugin.configure({ endpoint: `http://${address}` });
  return (await plugin.check(urn, { imageId })).failures.join("\n").replace(/--port \d+/, "--port PORT");
}

/** Versions of the engine that are too old pass no id. */
async function withoutProviderId(plugin: PluginClient): Promise<string> {
  await plugin.configure({}, "");
  return (await plugin.check(urn, { imageId })).failures.join("\n");
}

async function openPlugin(environment: Readonly<Record<string, string>>): Promise<PluginClient> {
  return PluginClient.open((say) =>
    closeAfterTest(openServedPackage({ version: "1.2.3", schema: "{}" }, { environment, say })),
  );
}
