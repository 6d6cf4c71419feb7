import * as pulumi from "@pulumi/pulumi";
import {
  AgbCommand,
  type AgbCommandArgs,
  AgbContext,
  AgbFile,
  AgbProvider,
  type AgbProviderArgs,
  AgbSession,
  PreviewEnvironment,
  type PreviewEnvironmentArgs,
} from "../../provider";
import { runProgram } from "../support/pulumi-program";

// Pulumi shows a `RunError` as its message alone, and any other error with Node's stack. It formats the stack of both, which
// takes Node up to two minutes.

const imageId = "agb-code-space-1";
const source = new pulumi.asset.StringAsset("1");

test.each<[string, () => unknown]>([
  ["import", () => new AgbSession("web", { imageId }, { import: "session-1" })],
  ["a look-up of a command", () => new AgbCommand("c", {} as AgbCommandArgs, { id: "c-1" })],
  ["deleteBeforeReplace: false", () => new AgbContext("data", { name: "data" }, { deleteBeforeReplace: false })],
  ["a look-up of a file", () => new AgbFile("f", { sessionId: "s", source, path: "/f" }, { id: "f-1" })],
  ["an unknown argument of a provider", () => new AgbProvider("eu", { region: "eu" } as object as AgbProviderArgs)],
  ["an empty key of a provider", () => new AgbProvider("eu", { apiKey: "" })],
  [
    "a mapped key of a provider that is not set",
    () => new AgbProvider("eu", {}, { envVarMappings: { AGB_NOT_SET: "AGB_API_KEY" } } as pulumi.ResourceOptions),
  ],
  ["arguments of a preview environment", () => new PreviewEnvironment("p", {} as object as PreviewEnvironmentArgs)],
])("Pulumi shows an error of a constructor without a stack: %s", async (_, construct) => {
  const { result } = await runProgram(() => {
    try {
      return construct();
    } catch (error) {
      return error;
    }
  });
  expect(pulumi.RunError.isInstance(result)).toBe(true);
  expect((result as Error).message).toMatch(/ \[AGB\d{3}\]$/);
  expect((result as Error).stack).toBe((result as Error).message);
});
