/**
 * The one place that says where the settings come from: an explicit `AgbProvider` or the stack's configuration (both
 * reach the provider process as configuration), then the environment, then a default. Nothing else reads the
 * environment. Imports only pure rules, so that a program that constructs resources loads no HTTP client.
 */
import { defaultEndpoint, normaliseEndpoint } from "./api/endpoint";
import { CleanError } from "./api/errors";
import type { Labels } from "./api/labels";
import { findProxy, type HttpProxy } from "./api/proxy";
import { type ForgeSettings, parseForgeSettings, parseRepositoryId } from "./forge/forge-settings";
import { ignorePatternProblem, labelProblems } from "./lifecycle/labels";
import { describeType, propertyPath } from "./problem";

/** Namespace of the settings in a stack's configuration, as in `agb:apiKey`. */
export const configNamespace = "agb";

/** Names of the settings, and the environment variables that stand in for them. */
export const settingNames = {
  apiKey: { key: "agb:apiKey", variable: "AGB_API_KEY" },
  endpoint: { key: "agb:endpoint", variable: "AGB_ENDPOINT" },
  timeoutMs: { key: "agb:timeoutMs", variable: "AGB_TIMEOUT_MS" },
  defaultLabels: { key: "agb:defaultLabels", variable: undefined },
  ignoreLabels: { key: "agb:ignoreLabels", variable: undefined },
  logLevel: { key: "agb:logLevel", variable: "AGB_LOG_LEVEL" },
} as const;

/** Tells whether a variable of the environment is set and not empty. */
export function isVariableSet(name: string): boolean {
  return Boolean(process.env[name]);
}

/** Limit of a call with its retries, in milliseconds, when nothing else is configured; AGB's SDKs have the same. */
export const defaultTimeoutMs = 60_000;

/** A setting's value and the name under which the user gave it. */
export interface Sourced {
  readonly value: string;
  /** Such as `agb:apiKey` or `AGB_API_KEY`. */
  readonly source: string;
}

/** What the provider needs to know to work. */
export interface Settings {
  readonly apiKey: Sourced;
  /**
   * The environment's key when the one in use was configured: Pulumi keeps the configuration of the last run in the
   * state, and `refresh` and `destroy` use that, so after a rotation the configured key may be an old one.
   */
  readonly fallbackApiKey: Sourced | undefined;
  /** Base URL without a slash at the end. */
  readonly baseUrl: string;
  /** Name of the setting that gave the endpoint, such as `agb:endpoint`; absent for AGB's default. */
  readonly endpointSource?: string | undefined;
  /** The proxy on the way to it. Environment: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. */
  readonly proxy?: HttpProxy | undefined;
  readonly timeoutMs: number;
  /** Name of the setting that gave the limit; absent for the default. */
  readonly timeoutSource?: string | undefined;
  readonly defaultLabels: Labels;
  /** Keys, or prefixes that end in `*`, of labels that are left to other tools. */
  readonly ignoreLabels: readonly string[];
  /** `debug` shows each request and reply, with all that may be secret masked. Environment: `AGB_LOG_LEVEL`. */
  readonly logLevel: "info" | "debug";
}

/** Invalid settings. The message lists every problem and its fix. */
export class AgbConfigurationError extends CleanError {
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/**
 * Reads the settings.
 *
 * @param configured gives the value of a configuration key such as `agb:endpoint`
 * @param environment the environment's variables
 * @throws AgbConfigurationError with everything that is missing or broken
 */
export function readSettings(
  configured: (key: string) => string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings {
  const problems: string[] = [];

  const find = ({ key, variable }: { key: string; variable: string | undefined }): Sourced | undefined => {
    const value = configured(key);
    if (value !== undefined && value !== "") {
      return { value, source: key };
    }
    const fallback = variable && environment[variable];
    return variable && fallback ? { value: fallback, source: variable } : undefined;
  };

  const read = <Value>(setting: { key: string; variable: string | undefined }, parse: (text: string) => Value) => {
    const found = find(setting);
    try {
      return found && parse(found.value);
    } catch (error) {
      problems.push(`${found?.source} cannot be used: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };

  const apiKey = find(settingNames.apiKey);
  if (apiKey === undefined) {
    problems.push(
      "No AGB API key. Give it as secret configuration (pulumi config set --secret agb:apiKey) " +
        "or in the environment (AGB_API_KEY); an explicit AgbProvider takes it as apiKey.",
    );
  } else if (!isKey(apiKey.value)) {
    problems.push(`${apiKey.source} cannot be used: an API key has no blanks, line breaks or special characters`);
  }
  const baseUrl = read(settingNames.endpoint, normaliseEndpoint) ?? normaliseEndpoint(defaultEndpoint);
  let proxy: HttpProxy | undefined;
  try {
    proxy = findProxy(baseUrl, environment);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  const timeoutMs = read(settingNames.timeoutMs, parseTimeoutMs) ?? defaultTimeoutMs;
  const defaultLabels = read(settingNames.defaultLabels, parseDefaultLabels) ?? {};
  const ignoreLabels = read(settingNames.ignoreLabels, parseIgnoreLabels) ?? [];
  // AGB's SDK knows more levels under the same variable; all but DEBUG mean the same here.
  const logLevel = find(settingNames.logLevel)?.value.toLowerCase() === "debug" ? "debug" : "info";

  if (apiKey === undefined || problems.length > 0) {
    throw new AgbConfigurationError(problems);
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
    logLevel,
  };
}

/**
 * Reads which forge hosts the repository and how to reach it: the variables of GitHub Actions or GitLab CI, and
 * `GITHUB_TOKEN` or `GITLAB_TOKEN`. Never fails: what is missing is in the result.
 */
export function readForgeSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ForgeSettings {
  return parseForgeSettings(environment);
}

/**
 * Reads the id of the job's repository at its forge, such as `github.com/repositories/81`. Ids, because names change.
 * Needs no token; `undefined` outside of a job.
 */
export function readRepositoryId(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  return parseRepositoryId(environment);
}

/** What a job of a CI system offers to what runs in it. */
export interface JobSettings {
  /** File to which the job's summary is appended; `GITHUB_STEP_SUMMARY`. */
  readonly summaryPath: string | undefined;
  /** File to which the step's outputs are appended; `GITHUB_OUTPUT`. */
  readonly outputPath: string | undefined;
  /** Whether lines such as `::warning::` stand out in the job's log. */
  readonly understandsAnnotations: boolean;
}

/** Reads what the running job offers; outside of one it is nothing. */
export function readJobSettings(environment: Readonly<Record<string, string | undefined>> = process.env): JobSettings {
  return {
    summaryPath: environment["GITHUB_STEP_SUMMARY"] || undefined,
    outputPath: environment["GITHUB_OUTPUT"] || undefined,
    understandsAnnotations: environment["GITHUB_ACTIONS"] === "true",
  };
}

/**
 * The environment of Pulumi's own commands. A fresh clone has no file of the stack's configuration: what the stack's
 * secrets are encrypted with is then taken from its state, not made up anew.
 */
export function pulumiEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return {
    ...environment,
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: environment["PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER"] ?? "true",
    PULUMI_SKIP_UPDATE_CHECK: environment["PULUMI_SKIP_UPDATE_CHECK"] ?? "true",
  };
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
    throw new Error("it is not an object; set it label by label: pulumi config set --path agb:defaultLabels.team web");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new Error(`it must be an object of labels, not ${describeType(parsed)}`);
  }
  const labels = Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, typedText(value)]));
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

function parseList(text: string): unknown[] {
  let parsed: unknown[];
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error("it is neither a list in JSON nor keys with commas between them");
  }
  return parsed.map(typedText);
}

/** `pulumi config set --path` stores 12 and true as number and boolean; the user typed a text. */
function typedText(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}

/** Whether npm runs this program for its user, as `npx` and `npm exec` do. */
export function isRunByNpm(environment: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return environment["npm_command"] === "exec";
}
