import { asset, output } from "@pulumi/pulumi";
import {
  AgbCommand,
  AgbContext,
  AgbProvider,
  AgbSession,
  PreviewEnvironment,
  type PreviewEnvironmentArgs,
} from "../../provider";
import { explainConnectionFailure } from "../../provider/api/connection-failure";
import { readEnvelope } from "../../provider/api/envelope";
import {
  AgbApiError,
  AgbAuthenticationError,
  type AgbError,
  AgbNetworkError,
  AgbNotFoundError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "../../provider/api/errors";
import { itemsOfPages } from "../../provider/api/pages";
import { type AgbConfigurationError, readSettings } from "../../provider/config";
import { refuseMissingLookup, requireCertainAbsence } from "../../provider/kinds/certain-absence";
import { declarationProblems } from "../../provider/kinds/check";
import { AbandonedCreateError } from "../../provider/kinds/creates-in-flight";
import { formatProblem } from "../../provider/kinds/hosted-kind";
import { searchReporter } from "../../provider/kinds/log";
import { OutageLog } from "../../provider/kinds/outage-log";
import { TakenOverError } from "../../provider/kinds/own-token";
import { ReleasedDuringDownloadError, UploadFailedError } from "../../provider/kinds/session-mounts";
import { MissingStackIdError, stackIdentityKind } from "../../provider/kinds/stack-identity";
import {
  AgbContextClearingError,
  AgbContextExistsError,
  AgbContextNotEmptyError,
  AgbContextSyncError,
  AgbContextUnchangedError,
  AgbUncertainContextError,
} from "../../provider/lifecycle/context-errors";
import { AgbReleaseTimeoutError, AgbRunEndedError, AgbUncertainCreateError } from "../../provider/lifecycle/errors";
import { withCode } from "../../provider/messages/message-codes";
import { accountWith, type Explained, explained, kinds, refusalWith } from "../support/explained";
import { expectGolden, type GoldenMessage } from "../support/golden-messages";
import { runProgram } from "../support/pulumi-program";

// Every message that needs no server. `integration/messages.test.ts` has the others.

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("messages about", () => {
  test("declarations", () => {
    const owner = { "pulumi-resource": "web" };
    const problemsOf = (kindName: keyof typeof kinds, news: Record<string, unknown>, resource?: string) => {
      const kind = kinds[kindName];
      const ofTypes = declarationProblems(kind.name, kind.properties, news);
      const more = kind.problems?.(news, { defaultLabels: { cost: "1" }, ignoreLabels: [] }, resource) ?? [];
      return [...ofTypes, ...more].map(formatProblem).join("\n");
    };
    const session = (situation: string, args: Record<string, unknown>): GoldenMessage => [
      situation,
      problemsOf("session", { imageId: "agb-code-space-1", labelsAll: owner, ...args }, "web"),
    ];
    const command = (situation: string, args: Record<string, unknown>): GoldenMessage => [
      situation,
      problemsOf("command", { sessionId: "session-1", create: "true", ...args }, "build"),
    ];
    const context = (situation: string, args: Record<string, unknown>, resource?: string): GoldenMessage => [
      situation,
      problemsOf("context", { name: "data", ...args }, resource),
    ];
    const mount = { contextId: "SdkCtx-1", path: "/data" };
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`label${index}`, "x"]));
    problemsOf("context", { name: "data" }, "first");
    expectGolden("declarations", [
      session("a misspelt property", { imagId: "x" }),
      session("a property that does not exist", { size: 1 }),
      ["a property without a value", problemsOf("session", { labelsAll: owner }, "web")],
      session("values of the wrong type", {
        imageId: 5,
        labels: "team=web",
        idleTimeoutSeconds: "600",
        ignoreLabels: "team",
        contextSyncs: { mount },
        releaseWithoutUpload: "yes",
        adopt: "session-1",
        timeouts: 5,
      }),
      session("values of the wrong type, further inside", {
        labels: { team: 5 },
        ignoreLabels: [5],
        contextSyncs: [{ ...mount, policy: { uploadPolicy: [], recyclePolicy: { paths: "x" } } }, "x"],
        timeouts: { create: "5" },
      }),
      session("the wrong type of labels to adopt", { adopt: { labels: ["x"] } }),
      session("values that are not allowed", {
        imageId: " ",
        idleTimeoutSeconds: 0.5,
        onRelease: "stop",
        timeouts: { create: -1 },
        contextSyncs: [{ contextId: " ", path: " ", policy: { uploadPolicy: { uploadMode: "Zip" } } }],
      }),
      session("labels that are not allowed", {
        labels: { "": "x", ["k".repeat(129)]: "x", team: " ", long: "v".repeat(257) },
      }),
      session("a reserved label", { labels: { "pulumi-stack": "dev" } }),
      session("too many labels", { labels: many }),
      session("a resource name that is too long for a label", { labelsAll: { "pulumi-resource": "w".repeat(257) } }),
      session("patterns of ignored labels", { ignoreLabels: [" ", "*x"] }),
      session("paths that cannot be mounted", {
        contextSyncs: [
          { ...mount, path: "data" },
          { contextId: "SdkCtx-2", path: "/a/../b" },
          { contextId: "SdkCtx-3", path: "/c", policy: { recyclePolicy: { paths: ["/c/*"] } } },
        ],
      }),
      session("a context and a path that are mounted twice", { contextSyncs: [mount, mount] }),
      session("mounts of an adopted session", { contextSyncs: [mount], adopt: { sessionId: "session-1" } }),
      session("adopt without a session", { adopt: {} }),
      session("adopt without a label", { adopt: { labels: {} } }),
      command("values of a command", {
        environment: { "two words": "x", NUL: "\0", NUMBER: 1 },
        stdin: "\0",
        workingDirectory: "app",
        timeoutSeconds: 0,
        logging: "all",
        triggers: "x",
      }),
      command("values of a command that are too large", {
        create: "x".repeat(1_048_577),
        stdin: "x".repeat(1_048_577),
        environment: { LONG: "x".repeat(1_048_576) },
      }),
      command("types of a command", { create: "", environment: "x", timeoutSeconds: "x" }),
      context("names of contexts", { name: " data" }),
      context("a blank name of a context", { name: "" }),
      context("the second of two resources with one context", {}, "second"),
    ]);
  });

  test("settings", () => {
    const problemsOf = (
      situation: string,
      config: Record<string, string>,
      environment: Record<string, string> = {},
    ): GoldenMessage => {
      const read = () => readSettings((key) => ({ "agb:apiKey": "ako-1", ...config })[key], environment);
      const error = thrownBy(read) as AgbConfigurationError;
      return [situation, withCode(error.message, error.messageCode)];
    };
    expectGolden("settings", [
      problemsOf("no API key", { "agb:apiKey": "" }),
      problemsOf("a key with a line break", { "agb:apiKey": "ako-1\n" }),
      problemsOf("several problems", { "agb:apiKey": "", "agb:endpoint": "ftp://agb" }, { AGB_TIMEOUT_MS: "soon" }),
      problemsOf("a blank endpoint", { "agb:endpoint": " " }),
      problemsOf("an endpoint that is not a URL", { "agb:endpoint": "a b" }),
      problemsOf("an endpoint with a user name", { "agb:endpoint": "https://me@agb.example.com" }),
      problemsOf("an endpoint with a query", { "agb:endpoint": "agb.example.com?a=b" }),
      problemsOf("a proxy that is not a URL", {}, { HTTPS_PROXY: "a b" }),
      problemsOf("a SOCKS proxy", {}, { HTTPS_PROXY: "socks5://proxy.example.com" }),
      problemsOf("default labels that are a string", { "agb:defaultLabels": "team=web" }),
      problemsOf("default labels that are a list", { "agb:defaultLabels": "[]" }),
      problemsOf("a reserved default label", { "agb:defaultLabels": '{"pulumi-stack":"dev"}' }),
      problemsOf("a default label called __proto__", { "agb:defaultLabels": '{"__proto__":"x"}' }),
      problemsOf("ignored labels that are not a list", { "agb:ignoreLabels": "[x" }),
      problemsOf("a pattern of ignored labels", { "agb:ignoreLabels": "*x" }),
      problemsOf("a repository that is no id", { "agb:repository": "acme/shop" }),
      [
        "no API key, in an update",
        explained(
          "session",
          thrownBy(() => readSettings(() => undefined, {})),
          { verb: "update" },
        ),
      ],
      [
        "no API key, in a refresh",
        explained(
          "session",
          thrownBy(() => readSettings(() => undefined, {})),
        ),
      ],
    ]);
  });

  test("programs", async () => {
    const imageId = "agb-code-space-1";
    const failureOf = async (situation: string, program: () => unknown): Promise<GoldenMessage> => [
      situation,
      await runProgram(program).then(
        () => "nothing",
        (error: Error) => error.message,
      ),
    ];
    const command = { sessionId: "session-1", create: "true" };
    const warn = jest.spyOn(console, "warn").mockImplementation();
    const failures = [
      await failureOf("import of a session", () => new AgbSession("web", { imageId }, { import: "session-1" })),
      await failureOf("import of a context", () => new AgbContext("data", { name: "data" }, { import: "SdkCtx-1" })),
      await failureOf("a session with mounts that goes last", () => {
        const contextSyncs = [{ contextId: "SdkCtx-1", path: "/data" }];
        return new AgbSession("web", { imageId, contextSyncs }, { deleteBeforeReplace: false });
      }),
      await failureOf("import of a command", () => new AgbCommand("build", command, { import: "1" })),
      await failureOf("a look-up of a command", () => new AgbCommand("build", command, { id: "1" })),
      await failureOf(
        "a command that goes last",
        () => new AgbCommand("build", command, { deleteBeforeReplace: false }),
      ),
      await failureOf("a misspelt argument of a provider", () => new AgbProvider("eu", { apikey: "x" } as object)),
      await failureOf("an unknown argument of a provider", () => new AgbProvider("eu", { region: "x" } as object)),
      await failureOf("an empty key of a provider", () => new AgbProvider("eu", { apiKey: "" })),
      await failureOf("a mapped key that is not set", () => {
        const opts = { envVarMappings: { AGB_EU_KEY: "AGB_API_KEY" } };
        return new AgbProvider("eu", {}, opts as object);
      }),
      await failureOf("everything wrong with a preview environment", () => {
        const environment = { PORT: "1", HOME: "/" };
        const app = { command: "", port: 8080, healthPath: "health", workingDirectory: "app", startTimeoutSeconds: 0 };
        const cache = { contextId: "SdkCtx-1", name: "x", path: "cache", size: 1 };
        const files = { app: "x", "/a": new asset.StringAsset("1"), "/a/b": new asset.StringAsset("1") };
        const others = { imagId: imageId, keepAlive: "yes", files, setup: [{ comand: "npm ci" }], cache };
        const args = { ...others, app: { ...app, environment } };
        return new PreviewEnvironment("preview", args as object as PreviewEnvironmentArgs);
      }),
      await failureOf("a preview environment with an output in place of a value", () => {
        const app = { command: "x", port: output(30_100) };
        return new PreviewEnvironment("preview", { imageId, app } as object as PreviewEnvironmentArgs);
      }),
      await failureOf("a preview environment with values of other types", () => {
        const args = { files: [], setup: "npm ci", cache: "x", app: "x" };
        return new PreviewEnvironment("preview", args as object as PreviewEnvironmentArgs);
      }),
      await failureOf("a preview environment without an app", () => {
        return new PreviewEnvironment("preview", { imageId, cache: {} } as object as PreviewEnvironmentArgs);
      }),
      await failureOf("a preview environment without arguments", () => {
        return new PreviewEnvironment("preview", undefined as unknown as PreviewEnvironmentArgs);
      }),
    ];
    expect(warn.mock.calls).toEqual([]);
    await runProgram(() => new AgbSession("web", { imageId }, { customTimeouts: { create: "5m" } }), {
      config: { "agb:apiKey": "ako-plain", "agb:endpiont": "x", "agb:apikey": "x", "agb:region": "eu" },
    });
    const warnings = warn.mock.calls.map(([message]): GoldenMessage => ["a warning", String(message)]);
    warn.mockRestore();
    expectGolden("programs", [...failures, ...warnings]);
  });

  test("calls", async () => {
    const url = "https://agb.example.com";
    const network = (cause: unknown, requestSent = false) => {
      const { reason, ...facts } = explainConnectionFailure(cause, requestSent);
      return new AgbNetworkError("GetLabel", url, requestSent, reason, facts);
    };
    const tls = (code: string, message: string) => network(Object.assign(new Error(message), { code }));
    const of = (situation: string, error: unknown, over: Explained = {}): GoldenMessage => [
      situation,
      explained("session", error, over),
    ];
    const refused = new AgbAuthenticationError("getMcpResource", refusalWith({ code: "NOT_LOGIN", status: 401 }));
    const unreachable = network(new Error("connect ECONNREFUSED 192.0.2.1:443"));
    const silent = new AgbTimeoutError("GetLabel", 60_000);
    const busy = new AgbApiError("GetLabel", refusalWith({ status: 429, reason: "too many requests" }));
    const failing = new AgbApiError("GetLabel", refusalWith({ status: 503, reason: "try again" }));
    const fromEnvironment = { apiKey: { value: "ako-1", source: "AGB_API_KEY" } };
    const other = accountWith({}, { value: "ako-2", source: "AGB_API_KEY" });
    const rules = { name: "GetLabel", goneCodes: [], innerVerdict: false };
    const replyTo = (status: number, text: string) =>
      thrownBy(() => readEnvelope(rules, { status, text, url: `${url}/sdk/GetLabel` }));
    const absence = (service: string | undefined, account = accountWith()) =>
      thrownBy(() => requireCertainAbsence(account, { noun: "session", isLookup: false, service }));
    const said: string[] = [];
    let now = 0;
    const outages = new OutageLog(
      url,
      (message) => void said.push(message),
      () => now,
    );
    for (const error of [unreachable, network(new Error("read ECONNRESET"), true), failing, busy] as AgbError[]) {
      outages.seeRetry({ operation: "GetLabel", attempt: 1, delayMs: 100, error });
    }
    now = 5_000;
    outages.seeExchange({ operation: "GetLabel", status: 200, durationMs: 5, sent: {}, received: {}, clean: String });
    searchReporter((message) => void said.push(message))({ error: silent, searchMs: 60_000 });
    const listFailure = async (nextToken: (page: number) => string, items: (page: number) => number[], pageMs = 0) => {
      let page = 0;
      let elapsedMs = 0;
      const fetchPage = async () => {
        page++;
        elapsedMs += pageMs;
        return { items: items(page), nextToken: nextToken(page) };
      };
      const list = itemsOfPages({ operation: "ListSession", fetchPage, keyOf: String }, () => elapsedMs);
      try {
        for await (const _ of list) {
          // Read to the end.
        }
      } catch (error) {
        return error;
      }
      throw new Error("the list ended");
    };
    const endless = await listFailure(String, (page) => [page]);
    const repeating = await listFailure(
      () => "same",
      (page) => [page],
    );
    const barren = await listFailure(String, () => [1]);
    const slow = await listFailure(String, (page) => [page], 100_000);
    expectGolden("calls", [
      of("a refused key from the configuration, in a refresh", refused),
      of("a refused key from the configuration, in a create", refused, { verb: "create" }),
      of("a refused key from the environment, in an update", refused, {
        verb: "update",
        account: accountWith(fromEnvironment),
      }),
      of("two refused keys", refused, { account: other }),
      ["a refused key without settings", explained("session", refused, { verb: "create", account: null })],
      of("no connection", unreachable),
      of("no connection, in a create", unreachable, { verb: "create" }),
      of("no connection to the default endpoint", unreachable, {
        verb: "create",
        account: accountWith({ endpointSource: undefined }),
      }),
      of("no connection to an endpoint from the environment", unreachable, {
        verb: "create",
        account: accountWith({ endpointSource: "AGB_ENDPOINT" }),
      }),
      of("no emulator", new AgbNetworkError("GetLabel", "http://127.0.0.1:8787", false, "connect ECONNREFUSED"), {
        verb: "create",
        account: accountWith({ baseUrl: "http://127.0.0.1:8787" }),
      }),
      of("an unknown authority", tls("SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate"), { verb: "create" }),
      of("an expired certificate", tls("CERT_HAS_EXPIRED", "certificate has expired"), { verb: "create" }),
      of("a certificate of another host", tls("ERR_TLS_CERT_ALTNAME_INVALID", "host name does not match"), {
        verb: "create",
      }),
      of("an endpoint without TLS", tls("ERR_SSL_WRONG_VERSION_NUMBER", "wrong version number"), { verb: "create" }),
      of("TLS that fails", tls("EPROTO", "no protocols available"), { verb: "create" }),
      of("a broken connection", network(new Error("read ECONNRESET"), true), { verb: "create" }),
      of("no answer", silent),
      of("no answer within a limit of the environment", silent, {
        account: accountWith({ timeoutSource: "AGB_TIMEOUT_MS" }),
      }),
      of("no answer within the limit of the operation", silent, { verb: "create", isLimited: true }),
      of("no time left", new AgbTimeoutError("GetLabel", 0), { verb: "update", isLimited: true }),
      of("a busy process", new AgbTimeoutError("GetLabel", 5_000, { waitedMs: 9_000 }), { verb: "create" }),
      of(
        "no connection within the time limit",
        new AgbTimeoutError("GetLabel", 5_000, {
          unsent: { endpoint: url, step: "connecting to agb.example.com:443" },
        }),
        { verb: "create" },
      ),
      of("a web page with an error", replyTo(404, "<h1>404</h1>"), { verb: "update" }),
      of("a web page", replyTo(200, "<h1>Welcome</h1>"), { verb: "update" }),
      of("JSON without a verdict", replyTo(200, "{}"), { verb: "update" }),
      of(
        "a reply with a request id",
        new AgbUnexpectedReplyError("GetLabel", 200, "R-1", "the body is not AGB's JSON"),
        { verb: "update" },
      ),
      of("an unknown call", new AgbApiError("GetLabel", refusalWith({ code: "InvalidAction.NotFound", reason: "" })), {
        verb: "update",
      }),
      of("a failing AGB", failing),
      of("too many calls", busy),
      of("an endless list", endless),
      of("a list that begins again", repeating),
      of("a list without new items", barren),
      of("a list that takes too long", slow),
      of("a refusal", new AgbApiError("GetLabel", refusalWith({ code: "InvalidParameter" }))),
      of("not found with another key", absence("https://agb.example.com", other), { account: other }),
      of("not found at another service", absence(undefined)),
      of("not found at an emulator", absence("local")),
      of("not found in another emulator", absence("local:k3v9")),
      of(
        "a look-up of a session that does not exist",
        thrownBy(() => refuseMissingLookup(accountWith(), { noun: "session", isLookup: true, service: undefined })),
        { verb: "look up" },
      ),
      [
        "a look-up of a context that does not exist",
        explained(
          "context",
          thrownBy(() => refuseMissingLookup(accountWith(), { noun: "context", isLookup: true, service: undefined })),
          { verb: "look up" },
        ),
      ],
      of("a defect", new TypeError("x is not a function")),
      ["no connection, without settings", explained("session", unreachable, { verb: "create", account: null })],
      ...said.map((line): GoldenMessage => ["a line of the log", line]),
    ]);
  });

  test("sessions", async () => {
    const of = (situation: string, error: unknown, over: Explained = {}): GoldenMessage => [
      situation,
      explained("session", error, over),
    ];
    const create = (over: Parameters<typeof refusalWith>[0], mounts = 0): GoldenMessage => {
      const known = { contextSyncs: Array.from({ length: mounts }, () => ({ contextId: "SdkCtx-1", path: "/data" })) };
      const situation = `a create that AGB refuses (${JSON.stringify(over)}) with ${mounts} mounts`;
      return of(situation, new AgbApiError("createSession", refusalWith(over)), { verb: "create", known });
    };
    const gone = new AgbNotFoundError(
      "SetLabel",
      refusalWith({ code: "InvalidMcpSession.NotFound", reason: "no such session" }),
    );
    const failures = [{ contextId: "SdkCtx-1", path: "/data", reason: "disk full", isTimeout: false }];
    const said: string[] = [];
    await stackIdentityKind.delete("0123456789abcdef", {}, { say: (message) => void said.push(message) });
    expectGolden("sessions", [
      create({ reason: "image unknown" }),
      create({ reason: "" }, 1),
      create({ code: "InvalidContext", reason: "context unknown" }, 1),
      create({ status: 429, reason: "too many requests" }),
      of(
        "an unknown outcome",
        new AgbUncertainCreateError("20261122T164726Z-9f86d081884c", "no session was found within 60 s", {
          cause: new AgbTimeoutError("createSession", 60_000),
        }),
        { verb: "create" },
      ),
      of("a session that is gone", gone, { verb: "update" }),
      of("a session to adopt that is gone", gone, { verb: "create" }),
      of("a session that another resource took over", new TakenOverError(), { verb: "update" }),
      of("a release that takes too long", new AgbReleaseTimeoutError("session-1", 300_000), { verb: "delete" }),
      of("a session that ended during its download", new ReleasedDuringDownloadError("session-1", gone), {
        verb: "create",
      }),
      of(
        "an upload that failed",
        new UploadFailedError(new AgbContextSyncError("session-1", "upload", failures).message, undefined),
        { verb: "delete" },
      ),
      of("a run that ended early", new AgbRunEndedError(), { verb: "create" }),
      of("a run that ended during the create", new AbandonedCreateError(), { verb: "create" }),
      of("a stack without an id", new MissingStackIdError(), { verb: "create" }),
      ...said.map((line): GoldenMessage => ["what a destroy says of the stack's id", line]),
    ]);
  });

  test("contexts", () => {
    const of = (situation: string, error: unknown, verb: NonNullable<Explained["verb"]> = "create"): GoldenMessage => [
      situation,
      explained("context", error, { verb }),
    ];
    const refused = new AgbApiError("ModifyContext", refusalWith({ reason: "in use" }));
    const gone = new AgbNotFoundError("ModifyContext", refusalWith({ code: "Context.NotFound" }));
    const count = (files: number, isComplete: boolean) =>
      new AgbContextNotEmptyError("SdkCtx-1", { files, isComplete } as ConstructorParameters<
        typeof AgbContextNotEmptyError
      >[1]);
    expectGolden("contexts", [
      of("a name that exists, in a create", new AgbContextExistsError("data", "SdkCtx-1")),
      of("a name that exists, in a rename", new AgbContextExistsError("data", "SdkCtx-1"), "update"),
      of("a name that another resource of the run owns", new AgbContextExistsError("data", "SdkCtx-1", true)),
      of("one file", count(1, true), "delete"),
      of("many files", count(1_000, false), "delete"),
      of("files that were not counted", count(0, false), "delete"),
      of("a context that is being cleared", new AgbContextClearingError("SdkCtx-1", 60_000), "delete"),
      of("a delete that does not show", new AgbContextUnchangedError("delete", "SdkCtx-1", 60_000), "delete"),
      of("a rename that does not show", new AgbContextUnchangedError("rename", "SdkCtx-1", 60_000), "update"),
      of(
        "an unknown outcome",
        new AgbUncertainContextError("data", { cause: new AgbTimeoutError("GetContext", 60_000) }),
      ),
      of("a context that is gone", gone, "update"),
      of("a refused create", refused),
      of("a refused update", refused, "update"),
      of("a refused delete", refused, "delete"),
    ]);
  });
});
