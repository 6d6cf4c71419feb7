import { AgbConfigurationError, readSettings } from "../../provider/config";
import { withCode } from "../../provider/messages/message-codes";

/** Reads settings from configuration and environment given as plain objects. */
function read(config: Record<string, string>, environment: Record<string, string | undefined> = {}) {
  return readSettings((key) => config[key], environment);
}

function configurationError(config: Record<string, string>, environment: Record<string, string> = {}) {
  try {
    read(config, environment);
  } catch (error) {
    if (error instanceof AgbConfigurationError) {
      return error;
    }
    throw error;
  }
  return undefined;
}

function problemsOf(config: Record<string, string>, environment: Record<string, string> = {}): readonly string[] {
  return configurationError(config, environment)?.problems.map(({ reason }) => reason) ?? [];
}

const key = { "agb:apiKey": "ako-configured" };

test("a key alone is enough; everything else has a default", () => {
  expect(read(key)).toEqual({
    apiKey: { value: "ako-configured", source: "agb:apiKey" },
    baseUrl: "https://sdk-api.agb.cloud",
    timeoutMs: 60_000,
    defaultLabels: {},
    fallbackApiKey: undefined,
    ignoreLabels: [],
    logLevel: "info",
  });
});

test("the environment is the fallback for missing configuration", () => {
  const environment = { AGB_API_KEY: "ako-environment", AGB_ENDPOINT: "http://localhost:9", AGB_TIMEOUT_MS: "1500" };
  expect(read({}, environment)).toEqual({
    apiKey: { value: "ako-environment", source: "AGB_API_KEY" },
    baseUrl: "http://localhost:9",
    endpointSource: "AGB_ENDPOINT",
    timeoutMs: 1_500,
    timeoutSource: "AGB_TIMEOUT_MS",
    defaultLabels: {},
    fallbackApiKey: undefined,
    ignoreLabels: [],
    logLevel: "info",
  });
});

test("configuration wins over the environment, setting by setting", () => {
  const settings = read(
    { "agb:endpoint": "configured.example.com" },
    { AGB_API_KEY: "ako-environment", AGB_ENDPOINT: "environment.example.com", AGB_TIMEOUT_MS: "7" },
  );
  expect(settings).toMatchObject({
    apiKey: { source: "AGB_API_KEY" },
    baseUrl: "https://configured.example.com",
    timeoutMs: 7,
  });
});

test("empty variables, as CI sets them for a missing secret, count as not set", () => {
  expect(read(key, { AGB_ENDPOINT: "", AGB_TIMEOUT_MS: "" })).toMatchObject({ timeoutMs: 60_000 });
  expect(problemsOf({}, { AGB_API_KEY: "" })).toEqual([expect.stringContaining("No AGB API key")]);
});

test("an empty configured value counts as not set, so the environment is the fallback", () => {
  const config = { "agb:apiKey": "", "agb:endpoint": "", "agb:timeoutMs": "", "agb:defaultLabels": "" };
  expect(read(config, { AGB_API_KEY: "ako-environment" })).toMatchObject({
    apiKey: { source: "AGB_API_KEY" },
    baseUrl: "https://sdk-api.agb.cloud",
    defaultLabels: {},
  });
});

test("a missing key is one problem that names each way to set it", () => {
  const [problem, ...others] = problemsOf({});
  expect(others).toEqual([]);
  expect(problem).toContain("pulumi config set --secret agb:apiKey");
  expect(problem).toContain("AGB_API_KEY");
  expect(problem).toContain("a provider that the program declares");
});

test("one error lists every problem, each under the name of its setting and with its own code", () => {
  const error = configurationError(
    { "agb:endpoint": "ftp://agb", "agb:defaultLabels": '{"":"x"}' },
    { AGB_TIMEOUT_MS: "soon" },
  );
  const problems = error?.problems.map(({ reason }) => reason) ?? [];
  expect(problems).toHaveLength(4);
  expect(problems[0]).toContain("No AGB API key");
  expect(problems[1]).toBe('agb:endpoint cannot be used: the scheme "ftp" is not http or https');
  expect(problems[2]).toMatch(/^AGB_TIMEOUT_MS cannot be used: it must be a whole number of milliseconds/);
  expect(problems[3]).toBe('agb:defaultLabels cannot be used: defaultLabels[""]: the key is blank');
  expect(error?.problems.map(({ code }) => code)).toEqual(["AGB201", "AGB204", "AGB205", "AGB206"]);
  const shown = withCode(error?.message ?? "", error?.messageCode ?? "AGB100");
  expect(shown.split("\n")).toEqual(error?.problems.map(({ reason, code }) => `${reason} [${code}]`));
});

test("a default label that Pulumi cannot store is refused: it would be drift forever", () => {
  expect(problemsOf({ "agb:apiKey": "a", "agb:defaultLabels": '{"__proto__":"x"}' })).toEqual([
    "agb:defaultLabels cannot be used: defaultLabels.__proto__: Pulumi cannot store this key; choose another one",
  ]);
});

test("an invalid value from the environment is reported under its variable", () => {
  expect(problemsOf({}, { AGB_API_KEY: "a", AGB_ENDPOINT: "a b", AGB_TIMEOUT_MS: "0" })).toEqual([
    expect.stringMatching(/^AGB_ENDPOINT cannot be used/),
    expect.stringMatching(/^AGB_TIMEOUT_MS cannot be used/),
  ]);
});

test.each(["two words", "line\n", "\tako", "schlüssel", "a\u0000b"])(
  "the key %j, which no header can carry, is refused without being repeated",
  (apiKey) => {
    const [problem] = problemsOf({ "agb:apiKey": apiKey });
    expect(problem).toMatch(/^agb:apiKey cannot be used/);
    expect(problem).not.toContain(apiKey);
  },
);

test.each(["0", "-1", "1.5", "abc", "60s", " ", "Infinity", "NaN", "2147483648"])(
  "%j is no time limit",
  (timeoutMs) => {
    expect(problemsOf({ ...key, "agb:timeoutMs": timeoutMs })).toEqual([
      "agb:timeoutMs cannot be used: it must be a whole number of milliseconds from 1 to 2147483647",
    ]);
  },
);

test("default labels are read from the object that `pulumi config set --path` stores", () => {
  expect(read({ ...key, "agb:defaultLabels": '{"team":"web","a b":"c"}' }).defaultLabels).toEqual({
    team: "web",
    "a b": "c",
  });
});

test("default labels that pulumi config stored as numbers and booleans become the strings that were typed", () => {
  expect(read({ ...key, "agb:defaultLabels": '{"cost":12,"public":true}' }).defaultLabels).toEqual({
    cost: "12",
    public: "true",
  });
});

test("default labels given as a string are refused with the command that sets them", () => {
  expect(problemsOf({ ...key, "agb:defaultLabels": "team=web" })).toEqual([
    expect.stringContaining("pulumi config set --path agb:defaultLabels.team web"),
  ]);
});

test.each([
  ["[]", "it must be an object of labels, not a list"],
  ["null", "it must be an object of labels, not null"],
  ["12", "it must be an object of labels, not a number"],
  ['{"team":null}', "defaultLabels.team: must be a string, not null"],
  ['{"team":{"a":"b"}}', "defaultLabels.team: must be a string, not an object"],
  [
    '{"pulumi-stack":"x"}',
    'defaultLabels["pulumi-stack"]: keys that begin with "pulumi-" are reserved for the provider',
  ],
  ['{"a":"","b":" "}', "defaultLabels.a: the value is blank; leave the label out instead; defaultLabels.b: the value"],
])("default labels %s are refused: %s", (defaultLabels, reason) => {
  expect(problemsOf({ ...key, "agb:defaultLabels": defaultLabels })).toEqual([
    expect.stringContaining(`agb:defaultLabels cannot be used: ${reason}`),
  ]);
});

describe("labels that are left to other tools", () => {
  const ignored = (text: string) => read({ ...key, "agb:ignoreLabels": text }).ignoreLabels;

  test.each([
    ["a list in JSON, as `pulumi config set --path` stores it", '["ci","bot-*"]', ["ci", "bot-*"]],
    ["keys with commas between them", " ci, bot-* ", ["ci", "bot-*"]],
    ["one key", "ci", ["ci"]],
    ["a key that looks like a number", "42", ["42"]],
    ["keys that `pulumi config` stored as a number and a boolean", "[42,true]", ["42", "true"]],
    ["an empty list", "[]", []],
  ])("are read from %s", (_, text, patterns) => {
    expect(ignored(text)).toEqual(patterns);
  });

  test.each([
    ["a blank key", "ci,,x", "ignoreLabels[1]: is blank"],
    ["a star inside", "a*b", "ignoreLabels[0]: may have * only at its end"],
    ["a list in a list", '[["a"]]', "ignoreLabels[0]: must be a string, not a list"],
    ["a broken list", '["a"', "it is neither a list in JSON nor keys with commas between them"],
  ])("are refused with the name of the setting: %s", (_, text, reason) => {
    expect(() => ignored(text)).toThrow(`agb:ignoreLabels cannot be used: ${reason}`);
  });
});

describe("the environment's key beside a configured one", () => {
  test("is kept in case the configured key was rotated", () => {
    expect(read(key, { AGB_API_KEY: "ako-new" }).fallbackApiKey).toEqual({ value: "ako-new", source: "AGB_API_KEY" });
  });

  test.each(["ako-configured", "", undefined, "ako new", "ako-new\n"])("is ignored when it is %j", (value) => {
    expect(read(key, { AGB_API_KEY: value }).fallbackApiKey).toBeUndefined();
  });
});

test.each([
  ["debug", "debug"],
  ["DEBUG", "debug"],
  ["info", "info"],
  ["WARNING", "info"],
  ["", "info"],
])("the log level %j means %s", (value, level) => {
  expect(read(key, { AGB_LOG_LEVEL: value }).logLevel).toBe(level);
  expect(read({ ...key, "agb:logLevel": value }).logLevel).toBe(level);
});

test("a proxy is read from the environment, and an invalid one is among the problems", () => {
  const environment = { HTTPS_PROXY: "http://proxy.example:3128" };
  expect(read(key, environment).proxy).toMatchObject({ host: "proxy.example", port: 3128 });
  expect(read(key, { ...environment, NO_PROXY: "agb.cloud" }).proxy).toBeUndefined();
  expect(problemsOf(key, { HTTPS_PROXY: "socks5://p", AGB_TIMEOUT_MS: "-1" })).toEqual([
    expect.stringContaining("HTTPS_PROXY cannot be used"),
    expect.stringContaining("AGB_TIMEOUT_MS cannot be used"),
  ]);
});
