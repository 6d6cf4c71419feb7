/**
 * Where the provider's settings come from: an explicit `AgbProvider` or the stack's configuration, then the
 * environment, then a default. Nothing else reads the environment for them. Imports only pure rules, so a program that
 * constructs resources loads no HTTP client. What commands and CI jobs take from the environment is in
 * `cli/environment.ts`.
 */
import { defaultEndpoint, normaliseEndpoint } from "./api/endpoint";
import { CleanError } from "./api/errors";
import type { Labels } from "./api/labels";
import { findProxy, type HttpProxy } from "./api/proxy";
import { ignorePatternProblem, labelProblems } from "./lifecycle/labels";
import { isRepositoryId, repositoryConfigKeys } from "./lifecycle/ownership";
import { type MessageCode, withCode } from "./messages/message-codes";
import { describeType, propertyPath } from "./messages/problem";

/** Namespace of the settings in a stack's configuration, as in `agb:apiKey`. */
export const configNamespace = "agb";

/** Default limit of a call with its retries, in milliseconds. AGB's SDKs use the same. */
export const defaultTimeoutMs = 60_000;

/** The declaration of one setting. */
interface Setting {
  /** Its key in a stack's configuration. */
  readonly key: string;
  /** The environment variable that is used when it is not configured. */
  readonly variable: string | undefined;
  /** What it does, for the reference. `AgbProviderArgs` begins with the same words. */
  readonly description: string;
  /** Its type in words. */
  readonly type: string;
  /** Absent for a setting without a default. */
  readonly defaultValue?: string | number;
  /** Whether every run needs it. Default: false. */
  readonly isRequired?: boolean;
  /** Whether to keep it encrypted. Default: false. */
  readonly isSecret?: boolean;
  /** A command that sets it. */
  readonly example: string;
}

/** All settings, by name. */
export const settingNames = {
  apiKey: {
    key: "agb:apiKey",
    variable: "AGB_API_KEY",
    description: "API key of the account.",
    type: "string",
    isRequired: true,
    isSecret: true,
    example: "pulumi config set --secret agb:apiKey",
  },
  endpoint: {
    key: "agb:endpoint",
    variable: "AGB_ENDPOINT",
    description: "Address of AGB: a host or host:port, which both mean HTTPS, or a URL.",
    type: "string",
    defaultValue: defaultEndpoint,
    example: "pulumi config set agb:endpoint http://127.0.0.1:8787",
  },
  timeoutMs: {
    key: "agb:timeoutMs",
    variable: "AGB_TIMEOUT_MS",
    description: "Limit of a call to AGB with its retries, in milliseconds.",
    type: "number",
    defaultValue: defaultTimeoutMs,
    example: "pulumi config set agb:timeoutMs 20000",
  },
  defaultLabels: {
    key: "agb:defaultLabels",
    variable: undefined,
    description: "Labels for every session. A session's own labels win.",
    type: "map of strings",
    example: "pulumi config set --path agb:defaultLabels.team web",
  },
  ignoreLabels: {
    key: "agb:ignoreLabels",
    variable: undefined,
    description:
      "Labels to leave to other tools, added to each session's own `ignoreLabels`: keys, or prefixes that end in `*`.",
    type: "list of strings",
    example: "pulumi config set --path 'agb:ignoreLabels[0]' 'gateway-*'",
  },
  repository: {
    key: repositoryConfigKeys[1],
    variable: undefined,
    description:
      "Id of the repository that a preview environment belongs to, for the label `pulumi-repository`. `preview-environment up` " +
      "sets it in the stack's configuration. An explicit provider of the plugin does not read that, and needs it as an argument.",
    type: "string",
    example: "pulumi config set agb:repository github.com/repositories/81",
  },
  logLevel: {
    key: "agb:logLevel",
    variable: "AGB_LOG_LEVEL",
    description: "What to log. `debug` shows each request and reply, and masks everything that may be secret.",
    type: '`"info"` or `"debug"`',
    defaultValue: "info",
    example: "pulumi config set agb:logLevel debug",
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** Tells whether a variable of the environment is set and not empty. */
export function isVariableSet(name: string): boolean {
  return Boolean(process.env[name]);
}

/** Names of environment variables, with the name under which a provider sees each. */
export type VariableMappings = Readonly<Record<string, string>>;

/** The environment as a provider sees it whose resource has the option `envVarMappings`. */
export function mappedEnvironment(mappings: VariableMappings): Readonly<Record<string, string | undefined>> {
  const mapped = Object.entries(mappings).filter(([variable]) => process.env[variable] !== undefined);
  return { ...process.env, ...Object.fromEntries(mapped.map(([variable, name]) => [name, process.env[variable]])) };
}

/** A setting's value and the name under which the user gave it. */
export interface Sourced {
  readonly value: string;
  /** Such as `agb:apiKey` or `AGB_API_KEY`. */
  readonly source: string;
}

/** The provider's settings. */
export interface Settings {
  readonly apiKey: Sourced;
  /**
   * The environment's key, when the key in use comes from the configuration. `refresh` and `destroy` use the
   * configuration of the last run, which Pulumi keeps in the state. After a rotation that key may be an old one.
   */
  readonly fallbackApiKey: Sourced | undefined;
  /** Base URL without a slash at the end. */
  readonly baseUrl: string;
  /** Name of the setting that gave the endpoint, such as `agb:endpoint`; absent for AGB's default. */
  readonly endpointSource?: string | undefined;
  /** The proxy through which it is reached. Environment: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. */
  readonly proxy?: HttpProxy | undefined;
  readonly timeoutMs: number;
  /** Name of the setting that gave the limit; absent for the default. */
  readonly timeoutSource?: string | undefined;
  readonly defaultLabels: Labels;
  /** Labels that other tools manage: keys, or prefixes that end in `*`. */
  readonly ignoreLabels: readonly string[];
  /** Id of the repository whose preview environment this is, such as `github.com/repositories/81`; `undefined` for none. */
  readonly repository?: string | undefined;
  /** `debug` shows each request and reply, with all that may be secret masked. Environment: `AGB_LOG_LEVEL`. */
  readonly logLevel: "info" | "debug";
}

/** A problem with one setting. */
export interface SettingProblem {
  /** What is wrong and how to fix it. */
  readonly reason: string;
  readonly code: MessageCode;
}

/**
 * Invalid settings. The message lists every problem and its fix, one per line. Each line ends with its code, except the
 * last: its code is `messageCode`, which ends the whole message.
 */
export class AgbConfigurationError extends CleanError {
  readonly messageCode: MessageCode;

  constructor(readonly problems: readonly [SettingProblem, ...SettingProblem[]]) {
    const last = problems.at(-1) ?? problems[0];
    const lines = problems.slice(0, -1).map(({ reason, code }) => withCode(reason, code));
    super([...lines, last.reason].join("\n"));
    this.messageCode = last.code;
  }
}

const missingKey =
  "No AGB API key. Set one with `pulumi config set --secret agb:apiKey`, in the environment variable AGB_API_KEY, or as " +
  "`apiKey` of a provider that the program declares.";
const missingKeyVariable = "No AGB API key. Set the environment variable AGB_API_KEY.";

/**
 * Reads the settings.
 *
 * @param configured gives the value of a configuration key such as `agb:endpoint`; without it, only the environment counts
 * @param environment the environment's variables
 * @throws AgbConfigurationError that lists everything that is missing or invalid
 */
export function readSettings(
  configured: ((key: string) => string | undefined) | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings {
  const problems: SettingProblem[] = [];
  const noKey: SettingProblem = { reason: configured === undefined ? missingKeyVariable : missingKey, code: "AGB201" };

  const find = ({ key, variable }: { key: string; variable: string | undefined }): Sourced | undefined => {
    const value = configured?.(key);
    if (value !== undefined && value !== "") {
      return { value, source: key };
    }
    const fallback = variable && environment[variable];
    return variable && fallback ? { value: fallback, source: variable } : undefined;
  };

  const read = <Value>(
    setting: { key: string; variable: string | undefined },
    code: MessageCode,
    parse: (text: string) => Value,
  ) => {
    const found = find(setting);
    try {
      return found && parse(found.value);
    } catch (error) {
      problems.push({ reason: `${found?.source} cannot be used: ${messageOf(error)}`, code });
      return undefined;
    }
  };

  const apiKey = find(settingNames.apiKey);
  if (apiKey === undefined) {
    problems.push(noKey);
  } else if (!isKey(apiKey.value)) {
    problems.push({
      reason: `${apiKey.source} cannot be used: an API key has no blanks, line breaks or non-ASCII characters`,
      code: "AGB203",
    });
  }
  const baseUrl = read(settingNames.endpoint, "AGB204", normaliseEndpoint) ?? normaliseEndpoint(defaultEndpoint);
  let proxy: HttpProxy | undefined;
  try {
    proxy = findProxy(baseUrl, environment);
  } catch (error) {
    problems.push({ reason: messageOf(error), code: "AGB208" });
  }
  const timeoutMs = read(settingNames.timeoutMs, "AGB205", parseTimeoutMs) ?? defaultTimeoutMs;
  const defaultLabels = read(settingNames.defaultLabels, "AGB206", parseDefaultLabels) ?? {};
  const ignoreLabels = read(settingNames.ignoreLabels, "AGB207", parseIgnoreLabels) ?? [];
  const repository = read(settingNames.repository, "AGB213", parseRepository);
  // The same variable has more levels in AGB's SDK. Here all of them but DEBUG mean the same.
  const logLevel = find(settingNames.logLevel)?.value.toLowerCase() === "debug" ? "debug" : "info";

  const [first = noKey, ...more] = problems;
  if (apiKey === undefined || problems.length > 0) {
    throw new AgbConfigurationError([first, ...more]);
  }
  const fallbackApiKey = otherKey(apiKey, environment);
  const endpointSource = find(settingNames.endpoint)?.source;
  const timeoutSource = find(settingNames.timeoutMs)?.source;
  return {
    apiKey,
    fallbackApiKey,
    baseUrl,
    endpointSource,
    proxy,
    timeoutMs,
    timeoutSource,
    defaultLabels,
    ignoreLabels,
    repository,
    logLevel,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether HTTP can carry the key. */
function isKey(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

function otherKey(apiKey: Sourced, environment: Readonly<Record<string, string | undefined>>): Sourced | undefined {
  const source = settingNames.apiKey.variable;
  const value = environment[source];
  return value && isKey(value) && value !== apiKey.value ? { value, source } : undefined;
}

// The longest delay of Node's timers.
const longestTimeoutMs = 2_147_483_647;

function parseTimeoutMs(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 1 || value > longestTimeoutMs) {
    throw new Error(`it must be a whole number of milliseconds from 1 to ${longestTimeoutMs}`);
  }
  return value;
}

function parseDefaultLabels(text: string): Labels {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error(`it is not an object; set it label by label: \`${settingNames.defaultLabels.example}\``);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new Error(`it must be an object of labels, not ${describeType(parsed)}`);
  }
  const labels = Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, typedString(value)]));
  const problems = labelProblems(labels);
  if (problems.length > 0) {
    throw new Error(problems.map(({ key, reason }) => `${propertyPath(["defaultLabels", key])}: ${reason}`).join("; "));
  }
  return labels as Labels;
}

function parseIgnoreLabels(text: string): string[] {
  const patterns = text.trim().startsWith("[") ? parseList(text) : text.split(",").map((pattern) => pattern.trim());
  const problems = patterns.flatMap((pattern, index) => {
    const reason = ignorePatternProblem(pattern);
    return reason === undefined ? [] : [`ignoreLabels[${index}]: ${reason}`];
  });
  if (problems.length > 0) {
    throw new Error(problems.join("; "));
  }
  return patterns as string[];
}

function parseRepository(text: string): string {
  if (!isRepositoryId(text)) {
    throw new Error("it is not the id of a repository at its forge, such as github.com/repositories/81");
  }
  return text;
}

function parseList(text: string): unknown[] {
  let parsed: unknown[];
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error("it is neither a list in JSON nor keys with commas between them");
  }
  return parsed.map(typedString);
}

/** `pulumi config set --path` stores 12 and true as a number and a boolean, but the user meant strings. */
function typedString(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}
