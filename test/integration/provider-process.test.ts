import { DiffResponse } from "@pulumi/pulumi/proto/provider_pb";
import type { Emulator, EmulatorOptions } from "../../provider/emulator";
import { unknownValue } from "../../provider/kinds/unknown";
import { providerReference } from "../../provider/resources/reference";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { type CallFailure, type Properties, ProviderProcess, unfinishedResource } from "../support/provider-process";
import { deadAddress } from "../support/scripted-server";

const { DIFF_NONE, DIFF_UNKNOWN } = DiffResponse.DiffChanges;
const owner = {
  "pulumi-project": "shop",
  "pulumi-stack": "dev",
  "pulumi-stack-id": "0123456789abcdef",
  "pulumi-resource": "web",
};
const __provider = providerReference("session");

/** The inputs that the resource class passes for these labels. */
function declare(labels: Record<string, string> = { team: "web" }, more: Properties = {}): Properties {
  return { imageId: "agb-code-space-1", labels, labelsAll: { ...labels, ...owner }, __provider, ...more };
}

/** An emulator and a configured provider process, as an engine would start it. */
async function startProvider(
  options: EmulatorOptions = {},
  config: Record<string, string> = {},
): Promise<{ emulator: Emulator; provider: ProviderProcess }> {
  const emulator = await startTestEmulator(options);
  const provider = await ProviderProcess.start({});
  await provider.configure({ "agb:apiKey": testKey, "agb:endpoint": emulator.url, ...config });
  return { emulator, provider };
}

async function failureOf(work: Promise<unknown>): Promise<CallFailure> {
  const outcome = await work.then(
    () => undefined,
    (error: CallFailure) => error,
  );
  if (outcome === undefined) {
    throw new Error("nothing failed");
  }
  return outcome;
}

test("a session's whole life passes through Pulumi's own process", async () => {
  const { emulator, provider } = await startProvider({}, { "agb:defaultLabels": '{"cost":"1"}' });

  const { inputs, failures } = await provider.check({}, declare());
  expect(failures).toEqual([]);
  expect(inputs).toEqual({ ...declare(), labelsAll: { team: "web", cost: "1", ...owner } });

  const { id, properties: created } = await provider.create(inputs);
  const [session] = emulator.sessions();
  expect(session?.sessionId).toBe(id);
  expect(created).toEqual({
    ...inputs,
    labelsAll: session?.labels,
    appInstanceId: session?.appInstanceId,
    resourceId: session?.resourceId,
    service: emulator.url,
  });

  const read = await provider.read(id, created);
  expect(read).toEqual({ id, properties: created, inputs });
  expect(await provider.diff(id, created, inputs)).toEqual({ changes: DIFF_NONE, replaces: [] });

  const { inputs: changed } = await provider.check(inputs, declare({ stage: "test" }));
  expect(await provider.diff(id, created, changed)).toEqual({ changes: DIFF_UNKNOWN, replaces: [] });
  const updated = await provider.update(id, created, changed);
  expect(updated).toMatchObject({ labels: { stage: "test" }, labelsAll: emulator.sessions()[0]?.labels, __provider });

  await provider.delete(id, updated);
  expect(emulator.sessions()).toEqual([]);
  expect(await provider.read(id, updated)).toEqual({ id: "", properties: { __provider }, inputs: undefined });
  await provider.delete(id, updated);

  await provider.close();
  expect(provider.stderr).toBe("");
});

test("a change that replaces keeps its reasons, although the engine finds the details", async () => {
  const { provider } = await startProvider();
  const news = declare({}, { imageId: "agb-browser-use-1", policyId: unknownValue });
  const olds = { ...declare({}), labelsAll: { ...owner, "pulumi-create": "x" } };
  expect(await provider.diff("session-1", olds, news)).toEqual({
    changes: DIFF_UNKNOWN,
    replaces: ["imageId", "policyId"],
  });
});

test("a preview with only unknown values passes the check and is a change", async () => {
  const { provider, emulator } = await startProvider();
  const news = { imageId: unknownValue, labels: unknownValue, labelsAll: unknownValue, __provider };
  expect(await provider.check({}, news)).toEqual({ inputs: news, failures: [] });
  const olds = { ...declare(), labelsAll: { team: "web", ...owner, "pulumi-create": "x" } };
  expect(await provider.diff("session-1", olds, { ...declare(), labels: unknownValue })).toMatchObject({
    changes: DIFF_UNKNOWN,
  });
  expect(emulator.requestCounts()).toEqual({ ListSession: 1 });
});

test("check failures name paths in the reason and no property, because Pulumi prints a property's value", async () => {
  const { provider } = await startProvider();
  const { failures } = await provider.check({}, declare({ "a b": " ", "pulumi-x": "s3cret" }, { imageId: "" }));
  expect(failures).toEqual([
    { property: "", reason: "imageId: must not be blank [AGB104]" },
    { property: "", reason: 'labels["a b"]: the value is blank; leave the label out instead [AGB105]' },
    { property: "", reason: expect.stringContaining('labels["pulumi-x"]: keys that begin with') },
  ]);
});

test("without a key each check says how to set one, and nothing is printed twice", async () => {
  const provider = await ProviderProcess.start({});
  await provider.configure({});
  const { failures } = await provider.check({}, declare());
  expect(failures).toEqual([
    { property: "", reason: expect.stringContaining("pulumi config set --secret agb:apiKey") },
  ]);
  await provider.close();
  expect(provider.stderr).toBe("");
});

test("the environment's key and endpoint are used when nothing is configured", async () => {
  const emulator = await startTestEmulator();
  const provider = await ProviderProcess.start({ AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
  await provider.configure({});
  await provider.create(declare());
  expect(emulator.sessions()).toHaveLength(1);
});

test("an update that AGB does only in part keeps the resource, with everything that a later run needs", async () => {
  const { provider, emulator } = await startProvider({ setLabel: "merge" });
  const { id, properties } = await provider.create(declare());
  const error = await failureOf(provider.update(id, properties, declare({ stage: "test" })));
  expect(unfinishedResource(error)).toEqual({
    id,
    properties: {
      ...properties,
      labels: { team: "web", stage: "test" },
      labelsAll: emulator.sessions()[0]?.labels,
    },
    reasons: [expect.stringContaining('"team" is still there, although it was removed')],
  });
});

test("a create that fails leaves no resource and one message", async () => {
  const { provider } = await startProvider();
  const error = await failureOf(provider.create(declare({}, { imageId: "nonsense" })));
  expect(error.details).toMatch(/^could not create AgbSession "web": AGB refused createSession: .*nonsense/);
  expect(unfinishedResource(error)).toBeUndefined();
  await provider.close();
  expect(provider.stderr).toBe("");
});

test("twenty sessions created right after the configuration all use it", async () => {
  const emulator = await startTestEmulator();
  const provider = await ProviderProcess.start({ AGB_API_KEY: "wrong", AGB_ENDPOINT: await deadAddress() });
  await provider.configure({ "agb:apiKey": testKey, "agb:endpoint": emulator.url });
  const made = await Promise.all(Array.from({ length: 20 }, () => provider.create(declare())));
  expect(new Set(made.map(({ id }) => id)).size).toBe(20);
  expect(emulator.requestCounts()).toEqual({ createSession: 20 });
});

test("a state with another provider text, as another version may have written it, uses the same configuration", async () => {
  const { provider, emulator } = await startProvider();
  const { id } = await provider.create(declare());
  const old = 'exports.handler = () => require("pulumi-agb/dynamic").session';
  await provider.delete(id, { ...declare(), __provider: old });
  expect(emulator.sessions()).toEqual([]);
});

test.each(["read", "delete"] as const)(
  "an error in %s comes with the reply, complete and without the key, and is not printed a second time",
  async (method) => {
    const { provider, emulator } = await startProvider();
    const { id, properties } = await provider.create(declare());
    emulator.setApiKeys(["another-key"]);
    const error = await failureOf(provider[method](id, properties));
    expect(error.details).toContain("Check that the API key from agb:apiKey");
    expect(error.details).toContain("--run-program");
    expect(error.details).toContain("The session stays in the state.");
    expect(error.details).not.toContain(testKey);
    await provider.close();
    expect(error.details).toContain(`AgbSession "web" (session ${id})`);
    expect(provider.stderr).toBe("");
  },
);

test("an update of a session that is gone names the command that recreates it", async () => {
  const { provider, emulator } = await startProvider();
  const { id, properties } = await provider.create(declare());
  await emulator.release(id);
  const error = await failureOf(provider.update(id, properties, declare({ stage: "test" })));
  expect(error.details).toContain("pulumi up --refresh");
  expect(unfinishedResource(error)).toBeUndefined();
});

test("a session that is looked up by its id is read", async () => {
  const { provider } = await startProvider();
  const { id, properties } = await provider.create(declare());
  const { imageId: _, ...known } = properties;
  expect(await provider.read(id, { __provider })).toMatchObject({ id, properties: known });
});

test("looking up a session that is not running fails with one message", async () => {
  const { provider } = await startProvider();
  const error = await failureOf(provider.read("session-that-never-was", { __provider }));
  expect(error.details).toContain("no session with this id exists");
  await provider.close();
  expect(provider.stderr).toBe("");
});

test("twenty checks ask once whether AGB accepts the key, and each fails when it does not", async () => {
  const { provider, emulator } = await startProvider({}, { "agb:apiKey": "wrong-key" });
  const checks = await Promise.all(Array.from({ length: 20 }, () => provider.check({}, declare())));
  for (const { failures } of checks) {
    expect(failures).toEqual([
      { property: "", reason: expect.stringContaining("Check that the API key from agb:apiKey is valid") },
    ]);
  }
  expect(emulator.requestCounts()).toEqual({ ListSession: 1 });
  await provider.close();
  expect(provider.stderr).toBe("");
});

test("another tool's label called __proto__ is seen as drift and removed", async () => {
  const { provider, emulator } = await startProvider();
  const { id, properties } = await provider.create((await provider.check({}, declare())).inputs as Properties);
  const own = emulator.sessions()[0]?.labels ?? {};
  await emulator.setLabels(id, JSON.parse(JSON.stringify(own).replace("{", '{"__proto__":"foreign",')));
  const read = await provider.read(id, properties);
  const { inputs } = await provider.check(read.inputs ?? {}, declare());
  expect(await provider.diff(id, read.properties, inputs)).toMatchObject({ changes: DIFF_UNKNOWN });
  await provider.update(id, read.properties, inputs);
  expect(Object.keys(emulator.sessions()[0]?.labels ?? {})).toEqual(Object.keys(own));
});
