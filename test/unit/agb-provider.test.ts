import * as pulumi from "@pulumi/pulumi";
import { AgbProvider, type AgbProviderArgs } from "../../provider";
import { type ProgramOptions, runProgram, secret } from "../support/pulumi-program";

/** Sets a variable of the environment until the test is over. */
function setVariable(name: string, value: string | undefined): void {
  const { [name]: _, ...others } = process.env;
  jest.replaceProperty(process, "env", { ...others, ...(value !== undefined && { [name]: value }) });
}

afterEach(() => {
  jest.restoreAllMocks();
});

/** The settings that reach the provider's process. */
async function settingsOf(
  args: AgbProviderArgs,
  options: ProgramOptions = {},
  opts: pulumi.ResourceOptions = {},
): Promise<Readonly<Record<string, unknown>>> {
  return (await runProgram(() => new AgbProvider("europe", args, opts), options)).registration("europe").inputs;
}

const stack = {
  config: {
    "agb:apiKey": "ako-stack",
    "agb:endpoint": "stack.example.com",
    "agb:timeoutMs": "1000",
    "agb:defaultLabels": '{"team":"stack"}',
  },
  secretKeys: ["agb:apiKey"],
};

test("it is a provider of dynamic resources", async () => {
  const { registrations } = await runProgram(() => new AgbProvider("europe"));
  expect(registrations.map(({ type, inputs }) => ({ type, inputs }))).toEqual([
    { type: "pulumi:providers:pulumi-nodejs", inputs: {} },
  ]);
});

test("its settings win over the stack's", async () => {
  const args = { apiKey: "ako-own", endpoint: "own.example.com", timeoutMs: 2_000, defaultLabels: { team: "own" } };
  expect(await settingsOf(args, stack)).toEqual({
    "agb:apiKey": secret("ako-own"),
    "agb:endpoint": "own.example.com",
    "agb:timeoutMs": "2000",
    "agb:defaultLabels": '{"team":"own"}',
  });
});

test("what it leaves out comes from the stack, and the key stays secret", async () => {
  expect(await settingsOf({}, stack)).toEqual({
    "agb:apiKey": secret("ako-stack"),
    "agb:endpoint": "stack.example.com",
    "agb:timeoutMs": "1000",
    "agb:defaultLabels": '{"team":"stack"}',
  });
});

test("a key that the stack's configuration holds in plain text becomes secret", async () => {
  expect((await settingsOf({}, { config: stack.config }))["agb:apiKey"]).toEqual(secret("ako-stack"));
});

test("an empty set of default labels is a setting too", async () => {
  expect((await settingsOf({ defaultLabels: {} }, stack))["agb:defaultLabels"]).toBe("{}");
});

test("settings that are outputs are resolved, and a secret default label makes them all secret", async () => {
  const args = {
    endpoint: pulumi.output("own.example.com"),
    timeoutMs: Promise.resolve(5),
    defaultLabels: { token: pulumi.secret("hidden") },
  };
  expect(await settingsOf(args)).toEqual({
    "agb:endpoint": "own.example.com",
    "agb:timeoutMs": "5",
    "agb:defaultLabels": secret('{"token":"hidden"}'),
  });
});

test("a variable that is mapped to it wins over the stack's setting", async () => {
  setVariable("AGB_EU_KEY", "ako-europe");
  const run = await runProgram(
    () => new AgbProvider("europe", {}, { envVarMappings: { AGB_EU_KEY: "AGB_API_KEY", AGB_EU: "AGB_ENDPOINT" } }),
    stack,
  );
  expect(run.registration("europe")).toMatchObject({
    inputs: { "agb:timeoutMs": "1000", "agb:defaultLabels": '{"team":"stack"}' },
    environmentMappings: { AGB_EU_KEY: "AGB_API_KEY", AGB_EU: "AGB_ENDPOINT" },
  });
  expect(Object.keys(run.registration("europe").inputs)).not.toContain("agb:apiKey");
  expect(Object.keys(run.registration("europe").inputs)).not.toContain("agb:endpoint");
});

test.each([undefined, ""])("a variable that is mapped to its key but holds %j is refused", async (value) => {
  setVariable("AGB_EU_KEY", value);
  const opts = { envVarMappings: { AGB_EU_KEY: "AGB_API_KEY" } };
  await expect(settingsOf({}, stack, opts)).rejects.toThrow("takes the key from AGB_EU_KEY, which is not set");
});

test("an argument wins over a mapped variable", async () => {
  const opts = { envVarMappings: { AGB_EU_KEY: "AGB_API_KEY" } };
  expect((await settingsOf({ apiKey: "ako-own" }, stack, opts))["agb:apiKey"]).toEqual(secret("ako-own"));
});

test("an empty key is refused, because another account's key would be used instead", async () => {
  await expect(settingsOf({ apiKey: "" }, stack)).rejects.toThrow('AgbProvider "europe": apiKey is empty');
});

test.each([
  ["endpiont", "did you mean endpoint?"],
  ["apikey", "did you mean apiKey?"],
  ["region", "it has apiKey, endpoint, timeoutMs, defaultLabels, ignoreLabels"],
])("an argument called %s is refused, because another endpoint or key would be used instead", async (name, advice) => {
  const args = { [name]: "own.example.com" } as AgbProviderArgs;
  await expect(settingsOf(args, stack)).rejects.toThrow(`AgbProvider "europe": unknown argument "${name}"; ${advice}`);
});

test("ignored labels come from its own list, or else from the stack's", async () => {
  const config = { ...stack, config: { ...stack.config, "agb:ignoreLabels": '["ci-*"]' } };
  expect((await settingsOf({}, config))["agb:ignoreLabels"]).toBe('["ci-*"]');
  expect((await settingsOf({ ignoreLabels: ["own", "x-*"] }, config))["agb:ignoreLabels"]).toBe('["own","x-*"]');
});

test("a time limit of 0 reaches the check of settings and is not ignored", async () => {
  expect((await settingsOf({ timeoutMs: 0 }, stack))["agb:timeoutMs"]).toBe("0");
});
