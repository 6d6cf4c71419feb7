import {
  AgbApiError,
  AgbAuthenticationError,
  AgbNetworkError,
  AgbNotFoundError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
  type Refusal,
} from "../../provider/api/errors";
import { AgbConfigurationError, type Settings } from "../../provider/config";
import { MissingLookupError } from "../../provider/kinds/certain-absence";
import type { Account } from "../../provider/kinds/connection";
import { CreatesInFlight } from "../../provider/kinds/creates-in-flight";
import { type Attempt, explainFailure } from "../../provider/kinds/failure";
import { UnfinishedError } from "../../provider/kinds/hosted-kind";
import { sessionKind } from "../../provider/kinds/session";
import { AgbReleaseTimeoutError, AgbUncertainCreateError } from "../../provider/lifecycle/errors";
import { systemClock } from "../../provider/lifecycle/wait";

const settings: Settings = {
  apiKey: { value: "ako-very-secret", source: "agb:apiKey" },
  baseUrl: "https://agb.example.com",
  timeoutMs: 60_000,
  defaultLabels: {},
  fallbackApiKey: undefined,
  ignoreLabels: [],
  logLevel: "info",
};
/** What only a refresh and a release may suffer from. */
const ofTheState =
  "If you have already changed these settings, run `pulumi refresh --run-program`: a refresh and a destroy use those that " +
  "the last `pulumi up` saved in the state.";
const fromEnvironment: Settings = { ...settings, apiKey: { value: "ako-very-secret", source: "AGB_API_KEY" } };

/** What a call was made with; no message needs the client. */
function accountOf(given: Settings, apiKey = given.apiKey): Account {
  return { settings: given, apiKey, client: undefined as unknown as Account["client"] };
}

function refusal(over: Partial<Refusal> = {}) {
  return { code: "", reason: "no", status: 400, requestId: "R-1", isFromAgb: true, ...over };
}

const kind = sessionKind({ clock: systemClock, creates: new CreatesInFlight(), say: () => {} });

const operations = {
  refresh: "read",
  "look up": "read",
  release: "delete",
  create: "create",
  update: "update",
} as const;

/** An operation on a session as it is called in messages. */
function attemptTo(verb: string, over: Partial<Attempt> = {}): Attempt {
  const operation = operations[verb as keyof typeof operations];
  const id = verb === "create" ? undefined : "session-1";
  return {
    ...{ operation, verb, kind, resource: "web", id, isLookup: verb === "look up", isLimited: false },
    advice: (error, endpointAdvice) => kind.advice?.(error, { operation, known: {}, endpointAdvice }),
    ...over,
  };
}

function explain(error: unknown, verb = "refresh", given: Settings | null = settings): string {
  return explainFailure(error, attemptTo(verb), given === null ? undefined : accountOf(given)).message;
}

test("a message says what failed, for which resource and session, why, and what to do", () => {
  expect(explain(new AgbNotFoundError("SetLabel", refusal({ code: "InvalidMcpSession.NotFound" })), "update")).toBe(
    'could not update AgbSession "web" (session session-1): AGB refused SetLabel: no ' +
      "(code InvalidMcpSession.NotFound, HTTP 400, request id R-1). The session is gone: AGB or " +
      "someone else released it. Run `pulumi up --refresh` to recreate it. With `options: refresh: always` in " +
      "Pulumi.yaml, each `pulumi up` does that. [AGB404]",
  );
});

test("a message reads well without a resource name", () => {
  const attempt = attemptTo("update", { resource: undefined, id: undefined });
  const error = explainFailure(new AgbTimeoutError("getSession", 5), attempt, undefined);
  expect(error.message).toBe(
    "could not update AgbSession: AGB did not answer getSession within 5 ms. " +
      "To allow more time, set agb:timeoutMs or AGB_TIMEOUT_MS. [AGB305]",
  );
});

describe("a refused key", () => {
  const error = new AgbAuthenticationError("getMcpResource", refusal({ code: "NOT_LOGIN" }));

  test("from the configuration: the message has the command that changes it", () => {
    const message = explain(error);
    expect(message).toContain(
      "Check that the API key from agb:apiKey is valid for https://agb.example.com and may do this.",
    );
    expect(message).toContain("To change it, run `pulumi config set --secret agb:apiKey`");
    expect(message).toContain(ofTheState);
  });

  test("from the environment: the message names the variable, and that the configuration may have changed since", () => {
    const message = explain(error, "refresh", fromEnvironment);
    expect(message).toContain("Check that the API key from AGB_API_KEY is valid");
    expect(message).toContain("To change it, set AGB_API_KEY in the environment.");
    expect(message).toContain(ofTheState);
  });

  test.each(["create", "update"])(
    "in %s: the message does not blame the state, because the present settings were used",
    (verb) => {
      expect(explain(error, verb)).not.toContain("--run-program");
    },
  );

  test("the message says that a session stays in the state, if there is one", () => {
    expect(explain(error, "refresh")).toContain("The session stays in the state.");
    expect(explain(error, "refresh", fromEnvironment)).toContain("The session stays in the state.");
    expect(explain(error, "create")).not.toContain("stays in the state");
  });

  test("without settings: the message names no source", () => {
    expect(explain(error, "refresh", null)).not.toContain("undefined");
  });
});

describe("a create that AGB refused", () => {
  test("points at image, policy and quota", () => {
    const message = explain(new AgbApiError("createSession", refusal({ reason: "image unknown" })), "create");
    expect(message).toContain("image unknown");
    expect(message).toContain("Nothing was created. Check imageId and policyId");
  });

  test("because AGB is busy does not blame the image", () => {
    const message = explain(new AgbApiError("createSession", refusal({ status: 429 })), "create");
    expect(message).not.toContain("imageId");
    expect(message).toContain("Nothing was created. Wait a while, then run `pulumi up` again.");
  });

  test.each([
    ["with HTTP 500", { status: 500 }],
    ["with HTTP 408", { status: 408 }],
    ["through a proxy", { status: 404, isFromAgb: false }],
    ["but that named a session", { sessionId: "session-9" }],
  ])("after %s, the message does not say that nothing was created", (_, facts) => {
    const error = new AgbApiError("createSession", { ...refusal(), ...facts });
    expect(explain(error, "create")).not.toContain("Nothing was created");
  });
});

const refused = new AgbNetworkError("getSession", "https://agb.example.com", false, "connect ECONNREFUSED");

describe("an endpoint that cannot be reached", () => {
  test.each([
    [
      undefined,
      "The endpoint is https://agb.example.com, the default. To use another one, set agb:endpoint or AGB_ENDPOINT.",
    ],
    [
      "agb:endpoint",
      "The endpoint is https://agb.example.com, from agb:endpoint. To change it, run `pulumi config set agb:endpoint HOST`",
    ],
    [
      "AGB_ENDPOINT",
      "The endpoint is https://agb.example.com, from AGB_ENDPOINT. To change it, set AGB_ENDPOINT in the environment",
    ],
  ])("is named with where it came from (%s) and how to change it", (endpointSource, advice) => {
    const given = { ...settings, endpointSource };
    const refresh = explain(refused, "refresh", given);
    expect(refresh).toContain(`ECONNREFUSED. ${advice}`);
    expect(refresh).toContain(ofTheState);
    expect(explain(refused, "release", given)).toContain(ofTheState);
    expect(explain(refused, "create", given)).toContain(advice);
    expect(explain(refused, "create", given)).not.toContain("--run-program");
  });

  test("may be a web page", () => {
    const page = new AgbApiError("GetLabel", refusal({ status: 404, isFromAgb: false }));
    expect(explain(page, "refresh", { ...settings, endpointSource: "agb:endpoint" })).toContain("from agb:endpoint.");
  });

  test("may accept calls and answer none", () => {
    const given = { ...settings, endpointSource: "agb:endpoint", timeoutSource: "AGB_TIMEOUT_MS" };
    const message = explain(new AgbTimeoutError("GetLabel", 5), "refresh", given);
    expect(message).toContain("agb:timeoutMs or AGB_TIMEOUT_MS (the limit of each call comes from AGB_TIMEOUT_MS).");
    expect(message).toContain("from agb:endpoint.");
    expect(message).toContain(ofTheState);
  });
});

test.each([
  ["a network failure", new AgbNetworkError("getSession", "https://agb.example.com", true, "reset")],
  ["a strange reply", new AgbUnexpectedReplyError("getSession", 200, "", "no JSON")],
])("%s without settings: the message names no source", (_, error) => {
  expect(explain(error, "refresh", null)).not.toContain("undefined");
});

test("an uncertain create names the label by which the session can be found", () => {
  const message = explain(new AgbUncertainCreateError("20261122T164726Z-9f86d081884c", "reset"), "create");
  expect(message).toContain("pulumi-create=20261122T164726Z-9f86d081884c");
  expect(message).toContain("Before you run `pulumi up` again, look for it");
});

test("after a release that takes too long, the message says to run the command again", () => {
  expect(explain(new AgbReleaseTimeoutError("session-1", 300_000), "release")).toContain("Run the command again");
});

test("the message lists all invalid settings, and says that the state may hold them", () => {
  const error = new AgbConfigurationError([
    { reason: "one is broken", code: "AGB204" },
    { reason: "two is missing.", code: "AGB201" },
  ]);
  expect(explain(error, "update")).toBe(
    'could not update AgbSession "web" (session session-1): one is broken [AGB204]\ntwo is missing. [AGB201]',
  );
  expect(explain(error)).toBe(
    'could not refresh AgbSession "web" (session session-1): one is broken [AGB204]\n' +
      `two is missing. ${ofTheState} [AGB201]`,
  );
});

test("a failed look-up does not advise to create the session", () => {
  const message = explain(new MissingLookupError("no session with this id exists"), "look up");
  expect(message).toBe(
    'could not look up AgbSession "web" (session session-1): no session with this id exists. AGB releases idle ' +
      "sessions. Look up a session that is running, or remove the look-up from the program. [AGB314]",
  );
});

test.each([[new TypeError("x is not a function")], ["a thrown string"], [undefined]])(
  "an unexpected error (%s) is called a defect of this package",
  (error) => {
    expect(explain(error)).toContain("This is a defect of pulumi-agb; please report it.");
  },
);

test.each(["image unknown [AGB201]", "[AGB201]", "x [AGB999]"])(
  "a message ends with its own code once, although AGB's words end in a bracket: %s",
  (reason) => {
    const message = explain(new AgbApiError("createSession", refusal({ reason })), "create");
    expect(message).toContain(reason);
    expect(message).toMatch(/to release it first\. \[AGB401\]$/);
  },
);

test("an error that quotes another one has its own code only", () => {
  const cause = new AgbTimeoutError("createSession", 60_000);
  const message = explain(new AgbUncertainCreateError("20261122T164726Z-9f86d081884c", "reset", { cause }), "create");
  expect(message).toContain(cause.message);
  expect(message.match(/\[AGB\d+\]/g)).toEqual(["[AGB403]"]);
});

test("an error that is explained already stays as it is", () => {
  const unfinished = new UnfinishedError("AgbSession session-1", "session-1", {}, "labels differ", "AGB410");
  expect(explainFailure(unfinished, attemptTo("update"), accountOf(settings))).toBe(unfinished);
  expect(unfinished.message.match(/\[AGB\d+\]/g)).toEqual(["[AGB410]"]);
});

test("no message holds the key", () => {
  const errors = [
    new AgbAuthenticationError("createSession", refusal()),
    new AgbNotFoundError("SetLabel", refusal()),
    new AgbApiError("createSession", refusal()),
    new AgbTimeoutError("createSession", 1),
    new AgbNetworkError("createSession", settings.baseUrl, true, "reset"),
    new AgbUnexpectedReplyError("createSession", 200, "", "x"),
    new Error("x"),
  ];
  for (const error of errors) {
    expect(explain(error, "create")).not.toContain(settings.apiKey.value);
    expect(explain(error, "update", fromEnvironment)).not.toContain(settings.apiKey.value);
  }
});
