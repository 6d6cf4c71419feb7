import * as pulumi from "@pulumi/pulumi";
import {
  AgbAuthenticationError,
  AgbProvider,
  getAgbContext,
  getAgbContextOutput,
  getAgbSession,
  getAgbSessionLink,
  getAgbSessionLinkOutput,
  getAgbSessionOutput,
  getAgbSessions,
  getAgbSessionsOutput,
  getAgbSessionUrl,
  getAgbSessionUrlOutput,
} from "../../provider";
import type { Emulator, EmulatorOptions } from "../../provider/emulator";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { contextCall, createContext, createId } from "../support/emulator-requests";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { repositoryRoot, runNode } from "../support/node-process";
import { outputValue, type ProgramOptions, runProgram } from "../support/pulumi-program";
import { sendJson, sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";
import { failureOf } from "../support/session-stack";
import { setVariable } from "../support/set-variable";

withoutRetryDelay();

let shown: jest.SpyInstance[];

beforeEach(async () => {
  shown = (["log", "warn", "error"] as const).map((name) => jest.spyOn(console, name).mockImplementation());
  // Pulumi keeps the engine and the configuration of the program before.
  await resultOf(() => undefined);
});

afterEach(() => jest.restoreAllMocks());

/** What Pulumi has shown of the program. */
const output = () => shown.flatMap(({ mock }) => mock.calls.flat()).join("\n");

async function startAccount(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"], ...options });
  setVariable("AGB_API_KEY", testKey);
  setVariable("AGB_ENDPOINT", emulator.url);
  return emulator;
}

/** Creates a session and returns its id. */
function createSession(emulator: Emulator, labels: Record<string, string> = {}): Promise<string> {
  return createId(emulator.url, labels);
}

/** The result of a program that asks AGB. */
async function resultOf<Result>(program: () => Result, options: ProgramOptions = {}): Promise<Result> {
  return (await runProgram(program, { asksAgb: true, ...options })).result;
}

/** What an output holds after a run. */
async function stateOf(value: pulumi.Output<unknown>) {
  const { isKnown, isSecret } = value as unknown as { isKnown: Promise<boolean>; isSecret: Promise<boolean> };
  return { isKnown: await isKnown, isSecret: await isSecret };
}

test("getAgbSession tells everything of a running session, and asks AGB only what it needs", async () => {
  const emulator = await startAccount();
  const sessionId = await createSession(emulator, { team: "web", "pulumi-stack": "dev" });
  const before = emulator.requests().length;
  const found = await getAgbSession({ sessionId });
  expect(found).toEqual({
    sessionId,
    status: "RUNNING",
    labels: { team: "web" },
    labelsAll: { team: "web", "pulumi-stack": "dev" },
    appInstanceId: expect.any(String),
    resourceId: expect.any(String),
  });
  expect(emulator.requests().length - before).toBe(3);
  expect(await outputValue(await resultOf(() => getAgbSessionOutput({ sessionId })))).toEqual(found);
});

test.each([
  ["getAgbSession", (sessionId: string) => getAgbSession({ sessionId })],
  ["getAgbSessionUrl", (sessionId: string) => getAgbSessionUrl({ sessionId })],
  ["getAgbSessionLink", (sessionId: string) => getAgbSessionLink({ sessionId, port: 30_100 })],
])("%s of a session that does not exist fails, and names what does not", async (name, look) => {
  const { url } = await startAccount();
  const failure = await failureOf(look("session-nowhere"));
  expect(failure).toBeInstanceOf(pulumi.RunError);
  expect(failure.message).toMatch(`${name}: could not `);
  expect(failure.message).toContain(
    `no session with this id exists at ${url} in the account of the key from AGB_API_KEY.`,
  );
  expect(failure.message).toMatch(/running session\..*\[AGB314\]$/);
});

test("a session that AGB has finished counts as none", async () => {
  const server = await startScriptedServer((_, response) =>
    sendSuccess(response, { data: { sessionId: "s", status: "FINISH" } }),
  );
  setVariable("AGB_API_KEY", testKey);
  setVariable("AGB_ENDPOINT", server.url);
  expect((await failureOf(getAgbSession({ sessionId: "s" }))).message).toContain("no session with this id exists");
});

test("getAgbSessions reads every page, in the order of the ids, and gives an empty list when nothing matches", async () => {
  const emulator = await startAccount();
  const ids: string[] = [];
  for (let index = 0; index < 130; index++) {
    ids.push(await createSession(emulator, { team: index < 120 ? "web" : "ops", "pulumi-stack": "dev" }));
  }
  const found = await getAgbSessions({ labels: { team: "web" } });
  expect(found.sessionIds).toEqual(ids.slice(0, 120).sort());
  expect(found.sessions.map(({ sessionId }) => sessionId)).toEqual(found.sessionIds);
  expect(found.sessions[0]).toEqual({
    sessionId: found.sessionIds[0],
    status: "RUNNING",
    labels: { team: "web" },
    labelsAll: { team: "web", "pulumi-stack": "dev" },
  });
  expect((await getAgbSessions()).sessionIds).toEqual([...ids].sort());
  expect((await getAgbSessions({ labels: { "pulumi-stack": "dev", team: "ops" } })).sessionIds).toHaveLength(10);
  expect(await getAgbSessions({ labels: { team: "nobody" } })).toEqual({ sessions: [], sessionIds: [] });
  const ofOps = await resultOf(() => getAgbSessionsOutput({ labels: { team: pulumi.output("ops") } }));
  expect((await outputValue(ofOps)).sessionIds).toHaveLength(10);
});

test("getAgbContext finds a context by its name, and never creates one", async () => {
  const emulator = await startAccount();
  const contextId = await createContext(emulator.url, "build-cache", testKey);
  const found = { contextId, name: "build-cache", state: "available" };
  expect(await getAgbContext({ name: "build-cache" })).toEqual(found);
  expect(await outputValue(await resultOf(() => getAgbContextOutput({ name: pulumi.output("build-cache") })))).toEqual(
    found,
  );
  await contextCall(emulator.url, "DeleteContext", { id: contextId }, testKey);
  const { message } = await failureOf(getAgbContext({ name: "build-cache" }));
  expect(message).toBe(
    `getAgbContext: could not look up context "build-cache": no context with this name exists at ${emulator.url} in the ` +
      "account of the key from AGB_API_KEY. Check the name and the account. To create a context, declare one in the program. " +
      "[AGB963]",
  );
  expect(emulator.contexts()).toEqual([]);
});

test("addresses are secret outputs, in a promise and in an output, and nothing shows them", async () => {
  const emulator = await startAccount();
  const sessionId = await createSession(emulator);
  setVariable("AGB_LOG_LEVEL", "debug");
  const [url, link, socket] = await Promise.all([
    getAgbSessionUrl({ sessionId }),
    getAgbSessionLink({ sessionId, port: 30_100 }),
    getAgbSessionLink({ sessionId, port: 30_199, protocol: "wss" }),
  ]);
  const outputs = await resultOf(() => [
    getAgbSessionUrlOutput({ sessionId }).url,
    getAgbSessionLinkOutput({ sessionId, port: 30_150, protocol: pulumi.output("https" as const) }).url,
  ]);
  const all = [url.url, link.url, socket.url, ...outputs];
  const addresses = await Promise.all(all.map((each) => outputValue(each)));
  expect(addresses.map((address) => new URL(address).protocol)).toEqual([
    expect.stringMatching("http"),
    expect.stringMatching("http"),
    expect.stringMatching("ws"),
    expect.stringMatching("http"),
    expect.stringMatching("http"),
  ]);
  for (const [index, each] of all.entries()) {
    expect(await stateOf(each)).toEqual({ isKnown: true, isSecret: true });
    expect(JSON.stringify([url, link, socket])).not.toContain(addresses[index]);
    expect(output()).not.toContain(addresses[index]);
  }
  // The log shows the calls, without the addresses.
  expect(output()).toContain("agb: getLink HTTP 200");
});

test.each([
  [30_099, "port: must be a whole number from 30100 to 30199: AGB links to no other port [AGB961]"],
  [30_200, "port: must be a whole number from 30100 to 30199: AGB links to no other port [AGB961]"],
  [30_100.5, "port: must be a whole number from 30100 to 30199: AGB links to no other port [AGB961]"],
  ["30100", "port: must be a number, not a string [AGB103]"],
  [undefined, "port: is required, such as 30100 [AGB102]"],
])("a link to port %p is refused before AGB is asked", async (port, reason) => {
  const emulator = await startAccount();
  const args = { sessionId: "session-1", port: port as number };
  expect((await failureOf(getAgbSessionLink(args))).message).toBe(`getAgbSessionLink: wrong arguments: ${reason}`);
  expect(emulator.requests()).toEqual([]);
});

test("every wrong argument is named", async () => {
  await startAccount();
  const args = { sessionID: "session-1", port: 1, protocol: "ftp" } as never;
  expect((await failureOf(getAgbSessionLink(args))).message.split("\n")).toEqual([
    "getAgbSessionLink: wrong arguments: sessionID: unknown property; did you mean sessionId? [AGB101]",
    "port: must be a whole number from 30100 to 30199: AGB links to no other port [AGB961]",
    'protocol: must be "https" or "wss" [AGB104]',
  ]);
});

/** What an output holds in a preview before its resource exists. */
const unknown = pulumi.output({}).apply(() => pulumi.unknown) as unknown as pulumi.Output<string>;

test("in a preview AGB is not asked while an argument or a dependency is not known", async () => {
  const emulator = await startAccount();
  const results = await resultOf(
    () => [
      getAgbSessionOutput({ sessionId: unknown }),
      getAgbSessionsOutput({ labels: { team: unknown } }),
      getAgbContextOutput({ name: unknown }),
      getAgbSessionUrlOutput({ sessionId: unknown }).url,
      getAgbSessionLinkOutput({ sessionId: unknown, port: 30_100 }).url,
      getAgbSessionsOutput({}, { provider: new AgbProvider("later", { apiKey: unknown }) }),
    ],
    { preview: true },
  );
  for (const result of results) {
    expect(await stateOf(result)).toMatchObject({ isKnown: false });
  }
  expect(emulator.requests()).toEqual([]);
});

test("the plain form says what to use when an AgbProvider is not known in a preview, or an argument is an output", async () => {
  const emulator = await startAccount();
  const failure = await resultOf(
    () => failureOf(getAgbSessions({}, { provider: new AgbProvider("later", { apiKey: unknown }) })),
    { preview: true },
  );
  expect(failure.message).toBe(
    "getAgbSessions: a setting of the AgbProvider is not known yet in this preview. Use getAgbSessionsOutput, whose result is " +
      "unknown until then. [AGB966]",
  );
  expect((await failureOf(getAgbSession({ sessionId: pulumi.output("x") as never }))).message).toBe(
    "getAgbSession: sessionId is an output. Use getAgbSessionOutput, which takes outputs. [AGB965]",
  );
  expect(emulator.requests()).toEqual([]);
});

test("a look-up is done when the run ends, even if nothing waits for it", async () => {
  const emulator = await startAccount();
  let ids: readonly string[] | undefined;
  const sessionId = await createSession(emulator);
  await resultOf(() => {
    getAgbSessionsOutput().apply((found) => {
      ids = found.sessionIds;
    });
  });
  expect(ids).toEqual([sessionId]);
});

test("explicit providers choose the account: as an option, from a parent, and with a mapped variable", async () => {
  const stack = await startAccount();
  const europe = await startTestEmulator({ apiKeys: ["europe-key", "test-key"] });
  const research = await startTestEmulator({ apiKeys: ["research-key", "test-key"] });
  const ids = {
    stack: await createSession(stack),
    europe: await createSession(europe),
    research: await createSession(research),
  };
  setVariable("RESEARCH_KEY", "research-key");
  setVariable("RESEARCH_ENDPOINT", research.url);
  const found = await resultOf(() => {
    const provider = new AgbProvider("europe", { apiKey: pulumi.secret("europe-key"), endpoint: europe.url });
    const envVarMappings = { RESEARCH_KEY: "AGB_API_KEY", RESEARCH_ENDPOINT: "AGB_ENDPOINT" };
    const mapped = new AgbProvider("research", {}, { envVarMappings } as pulumi.ResourceOptions);
    const parent = new pulumi.ComponentResource("shop:Bench", "bench", {}, { providers: [provider] });
    return {
      stack: getAgbSessionsOutput(),
      europe: getAgbSessionsOutput({}, { provider }),
      inherited: getAgbSessionsOutput({}, { parent }),
      plain: getAgbSessions({}, { parent }),
      research: getAgbSessionsOutput({}, { provider: mapped }),
    };
  });
  expect((await outputValue(found.stack)).sessionIds).toEqual([ids.stack]);
  expect((await outputValue(found.europe)).sessionIds).toEqual([ids.europe]);
  expect((await outputValue(found.inherited)).sessionIds).toEqual([ids.europe]);
  expect((await found.plain).sessionIds).toEqual([ids.europe]);
  expect((await outputValue(found.research)).sessionIds).toEqual([ids.research]);
  // The key is secret, and what was found with it is not.
  expect(await stateOf(found.europe)).toEqual({ isKnown: true, isSecret: false });
});

test("the stack's configuration wins over the environment", async () => {
  const environment = await startAccount();
  const stack = await startTestEmulator({ apiKeys: ["stack-key", "test-key"] });
  const sessionId = await createSession(stack);
  const config = { "agb:apiKey": "stack-key", "agb:endpoint": stack.url };
  const found = await resultOf(() => getAgbSessionsOutput(), { config, secretKeys: ["agb:apiKey"] });
  expect((await outputValue(found)).sessionIds).toEqual([sessionId]);
  expect(environment.requests()).toEqual([]);
});

test.each([
  ["the stack's", {}, { "agb:defaultLabels": '{"owner":"mallory"}' }],
  ["an AgbProvider's", { defaultLabels: pulumi.secret({ owner: "mallory" }) }, {}],
])("%s secret default labels make what a look-up finds secret", async (_, args, config) => {
  const emulator = await startAccount();
  const sessionId = await createSession(emulator, { owner: "mallory" });
  const found = await resultOf(
    () =>
      getAgbSessionOutput({ sessionId }, Object.keys(args).length > 0 ? { provider: new AgbProvider("p", args) } : {}),
    { config, secretKeys: Object.keys(config) },
  );
  expect(await stateOf(found)).toEqual({ isKnown: true, isSecret: true });
});

test("secret arguments make the result secret", async () => {
  const emulator = await startAccount();
  const sessionId = await createSession(emulator);
  const found = await resultOf(() => getAgbSessionOutput({ sessionId: pulumi.secret(sessionId) }));
  expect(await stateOf(found)).toEqual({ isKnown: true, isSecret: true });
});

test("a provider that is no AgbProvider is refused instead of asking another account", async () => {
  const emulator = await startAccount();
  const failure = await resultOf(() => {
    const provider = new (class extends pulumi.ProviderResource {})("other", "other", {});
    return failureOf(getAgbSessions({}, { provider }));
  });
  expect(failure.message).toBe(
    "getAgbSessions: the option provider is not an AgbProvider. Pass an AgbProvider, or remove the option. [AGB962]",
  );
  expect(emulator.requests()).toEqual([]);
});

test("with a refused key a look-up by id uses the environment's, and one by name or labels fails", async () => {
  const emulator = await startAccount();
  const sessionId = await createSession(emulator);
  const config = { "agb:apiKey": "old-key", "agb:endpoint": emulator.url };
  const run = <Result>(program: () => Result) => resultOf(program, { config, secretKeys: ["agb:apiKey"] });
  expect((await run(() => getAgbSession({ sessionId }))).sessionId).toBe(sessionId);
  expect(output()).toContain("agb: AGB refused the key from agb:apiKey; trying the one from AGB_API_KEY. [AGB202]");
  const missing = await run(() => failureOf(getAgbSession({ sessionId: "session-nowhere" })));
  expect(missing.message).toMatch(
    /it is gone, or it belongs to another account\. Use a key of the account that owns the session\. \[AGB311\]$/,
  );
  for (const failure of [
    await run(() => failureOf(getAgbSessions())),
    await run(() => failureOf(getAgbContext({ name: "build-cache" }))),
  ]) {
    expect(failure.message).toMatch(/Check that the API key from agb:apiKey is valid.*\[AGB202\]$/);
    expect(failure["cause"]).toBeInstanceOf(AgbAuthenticationError);
  }
});

test("no message repeats a label of the filter or the key, even if the service does", async () => {
  const server = await startScriptedServer(({ query, headers }, response) =>
    sendRefusal(response, "Bad.Request", `no ${query["labels"]} for ${headers.authorization}`),
  );
  setVariable("AGB_API_KEY", testKey);
  setVariable("AGB_ENDPOINT", server.url);
  const { message } = await failureOf(getAgbSessions({ labels: { token: "hunter2-and-more" } }));
  expect(message).toContain('[label "token"]');
  expect(message).not.toMatch(/hunter2|ako-test/);
});

test.each(["GetLabel", "getSession", "getSessionInfo"])(
  "a key that only %s refuses is never read as a session that does not exist",
  async (refusing) => {
    const server = await startScriptedServer(({ path }, response) =>
      path.endsWith(`/${refusing}`)
        ? sendJson(response, { success: false, code: "NOT_LOGIN", message: "no" }, 400)
        : sendRefusal(response, "InvalidMcpSession.NotFound"),
    );
    setVariable("AGB_API_KEY", testKey);
    setVariable("AGB_ENDPOINT", server.url);
    expect((await failureOf(getAgbSession({ sessionId: "s" }))).message).toMatch(/\[AGB202\]$/);
  },
);

test("without a key the failure says where to set one", async () => {
  setVariable("AGB_API_KEY", "");
  expect((await failureOf(getAgbSessions())).message).toMatch(
    /^getAgbSessions: could not list the sessions: No AGB API key\. .* a provider that the program declares\. \[AGB201\]$/,
  );
});

test("a program ends by itself after a look-up, with an idle connection left open", async () => {
  const emulator = await startAccount();
  const script = `
    const { getAgbSessions } = require("pulumi-agb");
    getAgbSessions().then(({ sessionIds }) => console.log(sessionIds.length));
  `;
  const environment = { ...process.env, AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url } as Record<string, string>;
  const folder = `${repositoryRoot}/examples/labelled-sessions`;
  expect((await runNode(["-e", script], folder, environment)).trim()).toBe("0");
});
