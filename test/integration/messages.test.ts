import * as pulumi from "@pulumi/pulumi";
import { AgbProvider, getAgbSession, getAgbSessions } from "../../provider";
import { getSyncItems } from "../../provider/api/context-sync";
import { countFiles, createContext, findContext, listContexts } from "../../provider/api/contexts";
import { AgbTimeoutError } from "../../provider/api/errors";
import { getLabels } from "../../provider/api/labels";
import { confirmAccess } from "../../provider/api/sessions";
import { callTool } from "../../provider/api/tools";
import type { FaultRule } from "../../provider/emulator";
import { CommandProgress } from "../../provider/kinds/command-progress";
import { describeError } from "../../provider/kinds/failure";
import { FunctionCalls, type FunctionName } from "../../provider/kinds/functions/function-calls";
import { UnfinishedError } from "../../provider/kinds/hosted-kind";
import type { UnfinishedResource } from "../../provider/kinds/kind";
import { applyLabels } from "../../provider/kinds/session-labels";
import { UploadFailedError, unfinishedDownload } from "../../provider/kinds/session-mounts";
import { findAdoptable } from "../../provider/lifecycle/adopt";
import { deleteContext } from "../../provider/lifecycle/context";
import { uploadBeforeRelease, waitForDownloads } from "../../provider/lifecycle/context-mounts";
import { createExactlyOnce } from "../../provider/lifecycle/create-once";
import type { Clock } from "../../provider/lifecycle/wait";
import { withCode } from "../../provider/messages/message-codes";
import { refuseReleased } from "../../provider/resources/session-links";
import { openClient } from "../support/agb-client";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { openCommandStack, openCommands, unfinishedBy } from "../support/command-stack";
import { declareContext, openContextStack } from "../support/context-stack";
import { openTestRuntime } from "../support/create-runtime";
import { contextCall, createContext as createEmulatedContext, createId } from "../support/emulator-requests";
import { explained } from "../support/explained";
import { FakeClock } from "../support/fake-clock";
import { createRequest, createWithFaults } from "../support/faulty-create";
import { expectGolden, type GoldenMessage } from "../support/golden-messages";
import { item, startService } from "../support/mounted-contexts";
import { openMounts, unfinished } from "../support/mounted-session";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { openProviderObjects } from "../support/provider-objects";
import { runProgram } from "../support/pulumi-program";
import { startProxy } from "../support/raw-server";
import { captureErrorStream, said } from "../support/said";
import {
  type ScriptedServer,
  sendJson,
  sendRefusal,
  sendSuccess,
  startScriptedServer,
} from "../support/scripted-server";
import { declare, failureOf, openProvider, openStack, Stack } from "../support/session-stack";

// The messages that need a server. `unit/messages.test.ts` has the others.

withoutRetryDelay();
captureErrorStream();

test("messages about proxies", async () => {
  const through = async (situation: string, answer: string | undefined): Promise<GoldenMessage> => {
    const proxy = await startProxy((socket) => (answer === undefined ? socket.destroy() : socket.end(answer)));
    const label = `the proxy ${proxy.url} (HTTPS_PROXY)`;
    const client = openClient("https://agb.example.com", {
      proxy: { host: "127.0.0.1", port: proxy.port, tls: false, authorization: undefined, label },
      timeoutMs: 5_000,
    });
    return [situation, explained("session", await failureOf(confirmAccess(client)), { verb: "create" })];
  };
  const refused = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
  const denied = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
  expectGolden("proxies", [
    await through("a proxy that refuses the host", refused),
    await through("a proxy that wants a password", denied),
    await through("a proxy that closes the connection", undefined),
  ]);
});

test("messages about replies that AGB does not send", async () => {
  const replyTo = async (
    situation: string,
    reply: Record<string, unknown>,
    call: (client: ReturnType<typeof openClient>) => Promise<unknown>,
  ): Promise<GoldenMessage> => {
    const server = await startScriptedServer((_, response) => sendSuccess(response, reply));
    return [situation, explained("session", await failureOf(call(openClient(server.url))), { verb: "update" })];
  };
  const many = (count: number) => Array.from({ length: count }, () => ({}));
  const drain = async (items: AsyncIterable<unknown>) => {
    for await (const _ of items) {
      // Read to the end.
    }
  };
  const tooMany = Object.fromEntries(many(1_001).map((_, index) => [`label${index}`, "x"]));
  expectGolden("replies", [
    await replyTo("labels that are not JSON", { data: { labels: "x" } }, (client) => getLabels(client, "session-1")),
    await replyTo("too many labels", { data: { labels: tooMany } }, (client) => getLabels(client, "session-1")),
    await replyTo("a label that is a list", { data: { labels: { a: [] } } }, (client) =>
      getLabels(client, "session-1"),
    ),
    await replyTo("too many sessions", { data: many(10_001) }, (client) => confirmAccess(client)),
    await replyTo("contexts that are no list", { data: null, totalCount: 1 }, (client) => drain(listContexts(client))),
    await replyTo("too many contexts", { data: many(10_001) }, (client) => drain(listContexts(client))),
    await replyTo("contexts that are missing", { data: [], totalCount: 2 }, (client) => drain(listContexts(client))),
    await replyTo("another context", { data: { id: "SdkCtx-1", name: "other" } }, (client) =>
      createContext(client, "data"),
    ),
    await replyTo("files that are no list", { data: null, count: 1 }, (client) => countFiles(client, "SdkCtx-1")),
    await replyTo("too many files", { data: many(10_001) }, (client) => countFiles(client, "SdkCtx-1")),
    await replyTo("files that are missing", { data: [], count: 2 }, (client) => countFiles(client, "SdkCtx-1")),
    await replyTo("a tool's result with too many parts", { data: { content: many(10_001) } }, (client) =>
      callTool(client, { sessionId: "session-1", tool: "shell", args: {} }),
    ),
    await replyTo("a status that is not JSON", { data: { contextStatus: "x" } }, (client) =>
      getSyncItems(client, "session-1"),
    ),
    await replyTo("a status with too many parts", { data: { contextStatus: JSON.stringify(many(10_001)) } }, (client) =>
      getSyncItems(client, "session-1"),
    ),
    await replyTo(
      "a status with too many synchronizations",
      { data: { contextStatus: JSON.stringify([{ type: "data", data: JSON.stringify(many(10_001)) }]) } },
      (client) => getSyncItems(client, "session-1"),
    ),
    ["a context whose files AGB does not know", explained("context", await unknownFilesFailure(), { verb: "delete" })],
  ]);
});

/** A delete that finds the context, but not its files. */
async function unknownFilesFailure(): Promise<unknown> {
  const server = await startScriptedServer(({ path }, response) =>
    path.endsWith("/GetContext")
      ? sendSuccess(response, { data: { id: "SdkCtx-1", name: "data", state: "available" } })
      : sendRefusal(response, "Context.NotFound"),
  );
  const client = openClient(server.url);
  expect(await findContext(client, "data")).toBeDefined();
  return failureOf(deleteContext(client, "SdkCtx-1"));
}

test("messages about a declaration's account", async () => {
  const server = await startScriptedServer((_, response) =>
    sendJson(response, { success: false, code: "NOT_LOGIN", message: "no", requestId: "R-1" }, 401),
  );
  const { session } = openProviderObjects({ AGB_API_KEY: testKey, AGB_ENDPOINT: server.url });
  const { failures = [] } = await session.check({}, declare());
  const rotated = openProviderObjects({ AGB_API_KEY: testKey, AGB_ENDPOINT: server.url });
  rotated.configure({ "agb:apiKey": "ako-old" });
  await failureOf(rotated.session.read("session-1", declare()));
  expectGolden("accounts", [
    ["a check with a refused key", failures.map(({ reason }) => reason).join("\n")],
    ["a refresh that tries the environment's key", said()],
  ]);
});

test("messages about creates whose outcome is not known", async () => {
  const after = async (situation: string, faults: FaultRule[]): Promise<GoldenMessage> => {
    const { error } = await createWithFaults(faults);
    return [situation, explained("session", error, { verb: "create" })];
  };
  const scripted = async (
    situation: string,
    script: (path: string) => [status: number, reply: object],
    limitMs?: number,
  ) => {
    const server = await startScriptedServer(({ path }, response) => {
      const [status, reply] = script(path);
      sendJson(response, { success: true, code: "ok", requestId: "R-1", ...reply }, status);
    });
    const client = openClient(server.url);
    const limited = limitMs === undefined ? client : client.within(limitMs);
    const error = await failureOf(createExactlyOnce(limited, createRequest, openTestRuntime(), client));
    return [situation, explained("session", error, { verb: "create" })] as const;
  };
  const none = { data: [] };
  const isCreate = (path: string) => path.endsWith("/createSession");
  let calls = 0;
  const quota = { data: { success: false, errMsg: "quota exceeded" } };
  const lost = { operation: "createSession", when: "before", answer: { status: 500 } } as const;
  expectGolden("uncertain-creates", [
    await after("a create that AGB never answers well", [lost]),
    await after("a gateway that gives up", [{ ...lost, answer: { status: 504 } }]),
    await after("a list that fails", [lost, { operation: "ListSession", answer: { status: 403 } }]),
    await scripted("a reply that names a session", (path) =>
      isCreate(path)
        ? [500, { data: { success: false, sessionId: "session-9" } }]
        : path.endsWith("/ListSession")
          ? [200, none]
          : [200, { success: false, code: "InvalidMcpSession.NotFound" }],
    ),
    await scripted("a session without labels", (path) =>
      isCreate(path)
        ? [500, {}]
        : path.endsWith("/ListSession")
          ? [200, { data: [{ sessionId: "session-9" }] }]
          : [200, { data: { labels: "{}" } }],
    ),
    await scripted("a refusal after an attempt that may have worked", (path) =>
      isCreate(path) ? (calls++ === 0 ? [500, {}] : [200, quota]) : [200, none],
    ),
    await scripted("a limit that ends the search", (path) => (isCreate(path) ? [500, {}] : [200, none]), 20_000),
  ]);
});

test("messages about adoptions", async () => {
  const { clock, emulator, stack } = await openStack();
  const client = openClient(emulator.url);
  const create = (labels: Record<string, string>) => createId(emulator.url, labels, {}, testKey);
  const adopt = async (situation: string, target: Parameters<typeof findAdoptable>[1]): Promise<GoldenMessage> => [
    situation,
    explained("session", await failureOf(findAdoptable(client, target, {})), { verb: "create" }),
  ];
  for (let count = 0; count < 12; count++) {
    await create({ job: "many" });
  }
  const owned = { "pulumi-project": "shop", "pulumi-stack": "dev", "pulumi-resource": "other" };
  const ownedId = await create({ ...owned, "pulumi-repository": "github.com/repositories/81" });
  const unfiltered = await startScriptedServer(({ path }, response) =>
    path.endsWith("/ListSession")
      ? sendSuccess(response, { data: [{ sessionId: "session-1" }] })
      : sendSuccess(response, { data: { labels: "{}" } }),
  );
  const wrong = await failureOf(findAdoptable(openClient(unfiltered.url), { labels: { job: "x" } }, {}));
  const many = await adopt("several sessions", { labels: { job: "many" } });

  // An adoption whose labels may not be set.
  const id = await create({ job: "one" });
  const fault = emulator.addFault({ operation: "SetLabel", answer: { status: 500 } });
  const news = declare({ team: "web" }, { adopt: { sessionId: id } });
  const doubtful = await unfinished(stack.create(news), news);
  fault.remove();

  // A session whose labels another tool changes.
  const state = await stack.create();
  emulator.addFault({ operation: "SetLabel", calls: 1, answer: { status: 200, body: { success: true, code: "ok" } } });
  const differing = await unfinished(stack.update(state, declare({ other: "x" })), declare());

  // A session that another resource takes over.
  const former = await stack.create(declare({ team: "web" }));
  const nextRun = new Stack(openProvider(emulator.url, clock), emulator);
  await nextRun.create(declare({ team: "web" }, { adopt: { sessionId: former.id } }));
  await nextRun.release(former);
  expectGolden("adoptions", [
    await adopt("no session", { labels: { job: "none" } }),
    many,
    await adopt("a session of another resource", { sessionId: ownedId }),
    ["a list that does not filter", explained("session", wrong, { verb: "create" })],
    ["an adoption with labels that may not be set", doubtful.reasons],
    ["labels that differ", differing.reasons],
    ["a label that got another value", await otherValue()],
    ["a delete of a session that another resource took over", said()],
  ]);
});

/** What an update says when the session has another value of a label than the one that was set. */
async function otherValue(): Promise<string> {
  const server = await startScriptedServer((_, response) =>
    sendSuccess(response, { data: { labels: '{"team":"other"}' } }),
  );
  const update = applyLabels(openClient(server.url), "session-1", { team: "web" }, {}, {}, "web");
  const { message, messageCode } = (await failureOf(update)) as unknown as UnfinishedResource;
  return new UnfinishedError("AgbSession session-1", "session-1", {}, message, messageCode).message;
}

test("messages about mounts", async () => {
  const download = async (situation: string, show: Parameters<typeof startService>[0]): Promise<GoldenMessage> => {
    const { client, clock, mounts } = await startService(show);
    const failure = await failureOf(waitForDownloads(client, "session-1", mounts, clock, 5_000));
    const { message, messageCode } = unfinishedDownload("session-1", {}, "web", failure);
    const error = new UnfinishedError("AgbSession session-1", "session-1", {}, message, messageCode);
    expect(error.details).toBe(withCode(message, messageCode));
    return [situation, error.details];
  };
  const upload = async (situation: string, show: Parameters<typeof startService>[0]): Promise<GoldenMessage> => {
    const { client, clock, mounts } = await startService(show);
    const failure = await failureOf(uploadBeforeRelease(client, "session-1", mounts, clock, 5_000));
    return [
      situation,
      explained("session", new UploadFailedError(describeError(failure), failure), { verb: "delete" }),
    ];
  };
  const of = (status: string, more: object = {}) => [item({ taskType: "download", status, ...more })];
  const { emulator, stack, contextId, mounted, release } = await openMounts();
  const state = await stack.create(mounted());
  const fault = emulator.addFault({ operation: "contextUpload", errorMessage: "disk full" });
  const failed = (await failureOf(release(state))).message;
  await release(await stack.update(state, mounted({ releaseWithoutUpload: true })));
  const withoutUpload = said();
  fault.remove();
  emulator.addFault({ operation: "contextDownload", errorMessage: "disk full" });
  const half = await unfinished(stack.create(mounted()), mounted());
  const lacking = (await failureOf(release(half.state))).message;
  await contextCall(emulator.url, "DeleteContext", { id: contextId });
  const missing = (await failureOf(release(half.state))).message;
  const lost = await releaseAfterDelete();
  const left = await releaseOfEmptyMount();
  expectGolden("mounts", [
    await download("a download that fails", () => of("Failed", { errorMessage: "disk full" })),
    await download("a download that fails without a reason", () => of("Failed")),
    await download("a download that does not end", () => of("Running")),
    await download("a download that AGB does not show", () => []),
    await download("a download whose end AGB does not show", ({ look }) => (look === 1 ? of("Running") : [])),
    await upload("an earlier upload that does not end", () => [item({ status: "Running" })]),
    await upload("an upload that AGB does not show", () => []),
    ["a release whose upload fails", failed],
    ["a release without the upload", withoutUpload],
    ["a release of a session without all files", lacking],
    ["a release of a session whose context does not exist", missing],
    ["a release of a session whose context was deleted", lost],
    ["a download of a context that was deleted", await downloadAfterDelete()],
    ["a release of a session whose context is empty", left],
  ]);
});

async function releaseAfterDelete(): Promise<string> {
  const { emulator, stack, contextId, mounted, release } = await openMounts();
  const state = await stack.create(mounted());
  await contextCall(emulator.url, "DeleteContext", { id: contextId });
  return (await failureOf(release(state))).message;
}

async function downloadAfterDelete(): Promise<string> {
  const server = await startScriptedServer(({ path }, response) =>
    path.endsWith("/DescribeContextFiles")
      ? sendRefusal(response, "Context.NotFound")
      : sendSuccess(response, { data: { contextStatus: "[]" } }),
  );
  const mounts = [{ contextId: "SdkCtx-1", path: "/data" }];
  const waiting = waitForDownloads(openClient(server.url), "session-1", mounts, new FakeClock());
  const { message, messageCode } = unfinishedDownload("session-1", {}, "web", await failureOf(waiting));
  return new UnfinishedError("AgbSession session-1", "session-1", {}, message, messageCode).details;
}

async function releaseOfEmptyMount(): Promise<string> {
  const { emulator, stack, release } = await openMounts();
  const contextSyncs = [{ contextId: await createEmulatedContext(emulator.url, "empty"), path: "/home/a" }];
  emulator.addFault({ operation: "contextDownload", errorMessage: "not writable" });
  const inputs = await stack.check(declare({}, { contextSyncs }));
  const { state } = await unfinished(stack.provider.create(inputs), inputs);
  jest.mocked(console.error).mockClear();
  await release(state);
  return said();
}

test("messages about contexts that changed hands", async () => {
  const stack = await openContextStack();
  const old = await stack.create(declareContext({ adopt: true }, "old"));
  stack.nextRun();
  await stack.create(declareContext({ adopt: true }, "new"));
  const update = await failureOf(stack.update(old, declareContext({ name: "other" }, "old")));
  await stack.delete(old);
  stack.nextRun();
  await contextCall(stack.emulator.url, "DeleteContext", { id: old.id });
  const gone = await failureOf(stack.update(old, declareContext({ name: "other" }, "old")));
  expectGolden("contexts-in-use", [
    ["an update of a context that another resource took over", update.message],
    ["a delete of that context", said()],
    ["an update of a context that is gone", gone.message],
  ]);
});

test("messages about look-ups", async () => {
  const { url } = await startTestEmulator();
  const notices: string[] = [];
  const open = (config: Record<string, string> = {}) => {
    const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: url };
    const say = (message: string) => void notices.push(message);
    return closeAfterTest(new FunctionCalls({ config: (key) => config[key], environment, say }));
  };
  const failed = async (
    situation: string,
    name: FunctionName,
    args: Record<string, unknown>,
    { resource, config }: { resource?: string; config?: Record<string, string> } = {},
  ): Promise<GoldenMessage> => [situation, (await failureOf(open(config).call(name, args, resource))).message];
  const inProgram = async (situation: string, program: () => Promise<unknown>): Promise<GoldenMessage> => {
    const { result } = await runProgram(() => failureOf(program()), { asksAgb: true, preview: true });
    return [situation, (await result).message];
  };
  const later = pulumi.output({}).apply(() => pulumi.unknown) as unknown as pulumi.Output<string>;
  const other = () => new (class extends pulumi.ProviderResource {})("other", "other", {});
  const sessionId = "session-1";
  const oldKey = { config: { "agb:apiKey": "ako-old" } };
  expectGolden("look-ups", [
    await failed("a session that does not exist", "getSession", { sessionId }),
    await failed("a session that is not found with the fallback key", "getSession", { sessionId }, oldKey),
    await failed("an address of a session that does not exist", "getSessionUrl", { sessionId }),
    await failed(
      "a link of a session of the program",
      "getSessionLink",
      { sessionId, port: 30_100 },
      { resource: "web" },
    ),
    await failed("a context that does not exist", "getContext", { name: "build-cache" }),
    await failed("a list with a refused key", "getSessions", {}, oldKey),
    await failed("a port without a link", "getSessionLink", { sessionId, port: 8_080 }),
    await failed("several wrong arguments", "getSessionLink", { sesionId: "x", port: "1", protocol: "ftp" }),
    ["a session that is kept after its release", String(thrownBy(() => refuseReleased("web", true)))],
    await inProgram("a provider of another package", () => getAgbSessions({}, { provider: other() })),
    await inProgram("an output", () => getAgbSession({ sessionId: later as never })),
    await inProgram("a provider that is not known yet", () =>
      getAgbSessions({}, { provider: new AgbProvider("later", { apiKey: later }) }),
    ),
    ["an idle time that is not restarted", await failedKeepAlive()],
  ]);
  expect(new Set(notices)).toEqual(
    new Set(["AGB refused the key from agb:apiKey; trying the one from AGB_API_KEY. [AGB202]"]),
  );
});

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return (error as Error).message;
  }
}

async function failedKeepAlive(): Promise<string> {
  const { emulator, stack } = await openStack();
  const state = await stack.create(declare({}, { keepAlive: true }));
  emulator.addFault({ operation: "refreshSessionIdleTime", answer: { status: 403 } });
  jest.mocked(console.error).mockClear();
  await stack.refresh(state);
  return said();
}

test("messages about commands", async () => {
  const { emulator, stack } = await openCommandStack();
  const unfinishedOne = async (situation: string, args: Record<string, unknown>): Promise<GoldenMessage> => [
    situation,
    (await unfinishedBy(stack.create(args))).reason,
  ];
  const failed = async (situation: string, work: Promise<unknown>): Promise<GoldenMessage> => {
    const { headline, details } = shownParts(await failureOf(work));
    return [situation, `${headline}: ${details}`];
  };
  /** A session whose tools answer as scripted. */
  const scripted = (situation: string, answer: (script: string) => object, clock?: Clock) => async () => {
    const server = await startToolServer(answer);
    return failed(situation, openCommands(server.url, "session-1", clock).create({ create: "true" }));
  };
  const ready = "state ready\ntoken t\nend\n";
  const printed = (stdout: string, exitCode = 0, stderr = "") => ({ stdout, stderr, exit_code: exitCode });
  const afterStart = (state: string) => (script: string) =>
    printed(
      script.includes("echo started")
        ? "started"
        : script.includes("tail -c")
          ? `state ${state}\ntoken t\nend\n`
          : ready,
    );

  const warningOf = async (answer: (script: string) => object) => {
    const server = await startToolServer(answer);
    await openCommands(server.url, "session-1").create({ create: "true" });
    return said().split("\n").at(-1) ?? "";
  };

  const created = await stack.create({ create: "true", delete: "echo broken >&2; exit 4" });
  const gone = await openCommandStack();
  await gone.emulator.release(gone.sessionId);
  const withoutTools = await openCommandStack({ allowExec: false });
  const abandoned = await openCommandStack();
  const waiting = abandoned.stack.create({ create: "touch begun; sleep 100" });
  for (let look = 0; (await abandoned.stack.inSession("ls begun 2>/dev/null; true")) === ""; look += 1) {
    expect(look).toBeLessThan(1_000);
  }
  const abandonedMessage = failed("a run of Pulumi that ends during a command", waiting);
  await abandoned.stack.objects.abandonCreates();
  await stack.create({ create: "true", sensitive: true });
  const hidden = said()
    .split("\n")
    .filter((line) => line.includes("hidden"))
    .join("\n");
  const long = await stack.create({ create: "seq 1 300000", logging: "none" });
  const toolFailure = () => ({ isError: true, text: 'The image "img-1" has no tool "shell".' });

  expectGolden("commands", [
    await unfinishedOne("a command that fails", { create: "echo out; echo one >&2; echo two >&2; exit 3" }),
    await unfinishedOne("one that writes nothing to standard error", { create: "echo out; exit 3" }),
    await unfinishedOne("one that writes nothing", { create: "exit 3" }),
    await unfinishedOne("a sensitive one", { create: "echo out >&2; exit 3", sensitive: true }),
    await unfinishedOne("one that takes too long", { create: "sleep 100", timeoutSeconds: 1 }),
    [
      "one that takes longer than the limit of its create",
      explained("command", new AgbTimeoutError("mcp", 0), { verb: "create", isLimited: true }),
    ],
    await unfinishedOne("one whose runner is killed", { create: "kill -s KILL $PPID; sleep 1" }),
    await unfinishedOne("a missing working directory", { create: "true", workingDirectory: "/no/such" }),
    await failed("a delete that fails", stack.delete(created)),
    await failed("a session that is gone", gone.stack.create({ create: "true" })),
    await failed("a run that is removed", stack.create({ create: "rm -rf /tmp/.pulumi-agb; sleep 3" })),
    await failed("an emulator without tools", withoutTools.stack.create({ create: "true" })),
    await abandonedMessage,
    await scripted("an image without a shell", toolFailure)(),
    await scripted("an image without a program", () => printed("missing base64\n"))(),
    await scripted("a session that is read-only", () => printed("", 1, "mkdir: cannot create directory\n"))(),
    await scripted("a session without a reason", () => printed("", 1))(),
    await scripted("a result that is cut", () => printed("state rea"))(),
    await scripted("a tool that returns nothing", () => ({ isError: true, text: "" }))(),
    await scripted("a command that did not arrive", (script) =>
      printed(script.includes("echo started") ? "incomplete" : ready),
    )(),
    await scripted("a command that does not start", afterStart("ready"), new FakeClock())(),
    await scripted("a start that fails", (script) =>
      script.includes("echo started") ? { isError: true, text: "Time is over." } : printed(ready),
    )(),
    await scripted(
      "a session that stops answering",
      (script) => (script.includes("tail -c") ? { isError: true, text: "Time is over." } : printed(`${ready}started`)),
      new FakeClock(),
    )(),
    await scripted("a session without space", afterStart("no-space"))(),
    await scripted("a full disk before the command is sent", () =>
      printed("lack cat: write error: No space left on device\n", 1),
    )(),
    await scripted("a full disk without a reason", () => printed("lack \n", 1))(),
    await scripted("a command that fails on a full disk", afterStart("3-full"))(),
    ["a command that does not care about a full disk", await warningOf(afterStart("0-full"))],
    ["output that is not shown", shownOutput()],
    ["output that is secret", hidden],
    ["output that is not kept", String(long.outputs["stdout"]).split("\n")[0] ?? ""],
  ]);
  expect(emulator.sessions()).toHaveLength(1);
});

/** A server of a session whose tools answer as scripted. */
function startToolServer(answer: (script: string) => object): Promise<ScriptedServer> {
  return startScriptedServer(({ path, body }, response) => {
    if (path !== "/mcp") {
      return sendSuccess(response, { data: [] });
    }
    const { command = "" } = JSON.parse(JSON.parse(body).args) as { command?: string };
    return sendSuccess(response, { data: toolReply(answer(command)) });
  });
}

/** What the process of Pulumi shows of a failure. */
function shownParts(failure: unknown): { readonly headline: string; readonly details: string } {
  const { reasons = [], stack } = failure as { reasons?: readonly string[]; stack?: string };
  return { headline: String(failure), details: reasons[0] ?? stack ?? "" };
}

function toolReply(answer: object): object {
  const { isError = false, text = JSON.stringify(answer) } = answer as { isError?: boolean; text?: string };
  return { isError, content: [{ type: "text", text }] };
}

/** The lines about output that is not shown. */
function shownOutput(): string {
  const lines: string[] = [];
  const options = { clock: new FakeClock(), clean: (line: string) => line, say: (line: string) => lines.push(line) };
  const progress = new CommandProgress({ ...options, shown: ["stdout"] });
  progress.skip("stdout", 5_000);
  progress.add("stdout", Buffer.from("line\n".repeat(205)));
  progress.finish();
  return lines.filter((line) => line !== "line").join("\n");
}
