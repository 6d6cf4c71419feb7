import { testKey } from "../support/agb-emulator";
import { createId } from "../support/emulator-requests";
import { expectGolden, type GoldenMessage } from "../support/golden-messages";
import { failureOfCall, urnOf } from "../support/plugin-client";
import { openPluginStack } from "../support/plugin-stack";

// The messages that only a plugin has. `messages.test.ts` has those that it shares with the dynamic provider.

test("messages of the plugin", async () => {
  const { plugin, emulator } = await openPluginStack();
  const labels = { "pulumi-project": "shop", "pulumi-stack": "prod", "pulumi-resource": "web" };
  const foreign = await createId(emulator.url, labels, {}, testKey);
  const imported = async (situation: string, type: string, id: string): Promise<GoldenMessage> => [
    situation,
    (await failureOfCall(plugin.import(urnOf(`agb:index:${type}`, "web"), id))).details,
  ];
  const { failures } = await plugin.checkConfig({ endpont: "agb.example.com" });
  expectGolden("plugin", [
    await imported("an import of a session that does not exist", "Session", "agb-code-space-1/session-1"),
    await imported("an import of a session of another stack", "Session", foreign),
    await imported("an import of a context that does not exist", "Context", "build-cache"),
    await imported("an import of a command", "Command", "build"),
    await imported("an import of a file", "File", "config"),
    ["an unknown setting", failures.join("\n")],
    ["an empty key", (await plugin.checkConfig({ apiKey: "" })).failures.join("\n")],
    ["a type of another version", (await failureOfCall(plugin.check(urnOf("agb:index:Sandbox", "web"), {}))).details],
    ["a function of another version", (await failureOfCall(plugin.invoke("agb:index:getSandbox", {}))).details],
  ]);
});
