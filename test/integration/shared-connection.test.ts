import { providerReference } from "../../provider/resources/reference";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { openProviderObjects } from "../support/provider-objects";
import { ProviderProcess } from "../support/provider-process";
import { hosts, openHost } from "../support/resource-hosts";

// Pulumi configures a provider for each kind, with the same settings. All kinds of a process share one connection.

const owner = {
  "pulumi-project": "shop",
  "pulumi-stack": "dev",
  "pulumi-stack-id": "0123456789abcdef",
  "pulumi-resource": "web",
};
const sessionArgs = {
  imageId: "agb-code-space-1",
  labels: {},
  labelsAll: owner,
  __provider: providerReference("session"),
};
const contextArgs = { name: "cache", __resource: "cache", __provider: providerReference("context") };

const oldKey = "ako-old-4711";
const newKey = "ako-new-0815";
const fallbackNotice = "agb: AGB refused the key from agb:apiKey; trying the one from AGB_API_KEY. [AGB202]";

afterEach(() => {
  jest.restoreAllMocks();
});

describe("in Pulumi's own process", () => {
  test("the checks of two kinds look at AGB once", async () => {
    const emulator = await startTestEmulator();
    const provider = await ProviderProcess.start({});
    await provider.configure({ "agb:apiKey": testKey, "agb:endpoint": emulator.url });
    const checks = await Promise.all([provider.check({}, sessionArgs), provider.check({}, contextArgs)]);
    expect(checks.flatMap(({ failures }) => failures)).toEqual([]);
    await provider.check({}, sessionArgs);
    expect(emulator.requestCounts()).toEqual({ ListSession: 1 });
  });

  test("two kinds go on with the environment's key after a rotation, and say so once", async () => {
    const emulator = await startTestEmulator({ apiKeys: [oldKey] });
    const provider = await ProviderProcess.start({ AGB_API_KEY: newKey });
    await provider.configure({ "agb:apiKey": oldKey, "agb:endpoint": emulator.url });
    const session = await provider.create((await provider.check({}, sessionArgs)).inputs);
    emulator.setApiKeys([newKey]);
    expect(await provider.read(session.id, session.properties)).toMatchObject({ id: session.id });
    // Only now the process configures the provider of contexts.
    const { __provider } = contextArgs;
    const lookUp = await provider.read("SdkCtx-1", { __provider }).catch((error: Error) => error);
    expect(String(lookUp)).toContain("With the key from AGB_API_KEY, the context was not found");
    await provider.delete(session.id, session.properties);
    await provider.close();
    expect(provider.stderr.split("\n").filter((line) => line.includes("trying the one from"))).toEqual([
      fallbackNotice,
    ]);
  });
});

describe.each(hosts)("the %s host, configured once more", (host) => {
  test("with the same settings, the kinds keep the client that the first one opened", async () => {
    const emulator = await startTestEmulator();
    const objects = openHost(host, { AGB_API_KEY: testKey });
    objects.configure({ "agb:endpoint": emulator.url });
    await objects.session.check({}, sessionArgs);
    objects.configure({ "agb:endpoint": emulator.url });
    await objects.context.check({}, contextArgs);
    await objects.session.check({}, sessionArgs);
    expect(emulator.requestCounts()).toEqual({ ListSession: 1 });
  });

  test("with the same settings between two refreshes with the environment's key, nothing is said again", async () => {
    const errorStream = jest.spyOn(console, "error").mockImplementation();
    const emulator = await startTestEmulator({ apiKeys: [oldKey] });
    const objects = openHost(host, { AGB_API_KEY: newKey, AGB_ENDPOINT: emulator.url });
    objects.configure({ "agb:apiKey": oldKey });
    const { id, outs } = await objects.session.create(sessionArgs);
    emulator.setApiKeys([newKey]);
    await objects.session.read(id, { ...outs });
    objects.configure({ "agb:apiKey": oldKey });
    await objects.session.read(id, { ...outs });
    expect(errorStream.mock.calls).toEqual([[fallbackNotice]]);
  });

  test("with another endpoint, all kinds work at the new one and look at it first", async () => {
    const [first, second] = [await startTestEmulator(), await startTestEmulator()];
    const objects = openHost(host, { AGB_API_KEY: testKey });
    objects.configure({ "agb:endpoint": first.url });
    await objects.session.check({}, sessionArgs);
    await objects.session.create(sessionArgs);
    objects.configure({ "agb:endpoint": second.url });
    await objects.session.check({}, sessionArgs);
    await objects.session.create(sessionArgs);
    const { id } = await objects.context.create(contextArgs);
    expect([first.sessions().length, second.sessions().length]).toEqual([1, 1]);
    expect(second.contexts().map(({ contextId }) => contextId)).toEqual([id]);
    expect(second.requestCounts()).toMatchObject({ ListSession: 1 });
  });

  test("with another key, the refusal of the old one is forgotten", async () => {
    const emulator = await startTestEmulator({ apiKeys: [newKey] });
    const objects = openHost(host, { AGB_ENDPOINT: emulator.url });
    objects.configure({ "agb:apiKey": oldKey });
    const { failures } = await objects.session.check({}, sessionArgs);
    expect(failures?.map(({ reason }) => reason)).toEqual([
      expect.stringContaining("Check that the API key from agb:apiKey"),
    ]);
    objects.configure({ "agb:apiKey": newKey });
    expect((await objects.session.check({}, sessionArgs)).failures).toEqual([]);
    await objects.session.create(sessionArgs);
    expect(emulator.sessions()).toHaveLength(1);
  });
});

test("the configuration wins over the environment, and a changed one changes the client", async () => {
  const [first, second] = [await startTestEmulator(), await startTestEmulator()];
  const { session: provider } = openProviderObjects({ AGB_API_KEY: testKey, AGB_ENDPOINT: first.url });
  const inputs = sessionArgs;
  await provider.create(inputs);
  const get = (key: string) => (key === "agb:endpoint" ? second.url : undefined);
  await provider.configure({ config: { get, require: (key) => get(key) ?? "" } });
  await provider.create(inputs);
  expect([first.sessions().length, second.sessions().length]).toEqual([1, 1]);
});
