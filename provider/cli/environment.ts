// What the commands and the CI jobs that run them take from the environment: the CI system, the forge, the Pulumi CLI
// and npm. Nothing else reads the environment for these. The provider's own settings are in `config.ts`.

import { type ForgeSettings, parseForgeSettings, parseRepositoryId } from "../forge/forge-settings";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads which forge hosts the repository and how to reach it: the variables of GitHub Actions or GitLab CI, and
 * `GITHUB_TOKEN` or `GITLAB_TOKEN`. Never fails; the result names what is missing.
 */
export function readForgeSettings(environment: Environment = process.env): ForgeSettings {
  return parseForgeSettings(environment);
}

/**
 * Reads the id of the job's repository at its forge, such as `github.com/repositories/81`. An id, because names change.
 * Needs no token. `undefined` outside a job.
 */
export function readRepositoryId(environment: Environment = process.env): string | undefined {
  return parseRepositoryId(environment);
}

/** What the CI system offers to the running job. */
export interface JobSettings {
  /** File to which the job's summary is appended; `GITHUB_STEP_SUMMARY`. */
  readonly summaryPath: string | undefined;
  /** File to which the step's outputs are appended; `GITHUB_OUTPUT`. */
  readonly outputPath: string | undefined;
  /** Whether the job's log highlights lines such as `::warning::`. */
  readonly understandsAnnotations: boolean;
}

/** Reads what the CI system offers to the running job: nothing outside a job. */
export function readJobSettings(environment: Environment = process.env): JobSettings {
  return {
    summaryPath: environment["GITHUB_STEP_SUMMARY"] || undefined,
    outputPath: environment["GITHUB_OUTPUT"] || undefined,
    understandsAnnotations: environment["GITHUB_ACTIONS"] === "true",
  };
}

/**
 * The environment for Pulumi's own commands. A fresh clone has no file with the stack's configuration. The secrets
 * provider then comes from the stack's state, where Pulumi would otherwise choose a new one.
 */
export function pulumiEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return {
    ...environment,
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: environment["PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER"] ?? "true",
    PULUMI_SKIP_UPDATE_CHECK: environment["PULUMI_SKIP_UPDATE_CHECK"] ?? "true",
  };
}

/** The variables that `findProxy` looks at, for connections to apps. */
export function readProxyEnvironment(environment: Environment = process.env): Environment {
  return environment;
}

/** Whether npm runs this program for its user, as `npx` and `npm exec` do. */
export function isRunByNpm(environment: Environment = process.env): boolean {
  return environment["npm_command"] === "exec";
}

/**
 * Whether the user chose colours: `NO_COLOR` turns them off, and so does `FORCE_COLOR` with `0` or `false`. Any other value of
 * `FORCE_COLOR` turns them on. `undefined` leaves it to the terminal.
 */
export function readColorChoice(environment: Environment = process.env): boolean | undefined {
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  if (NO_COLOR || FORCE_COLOR === "0" || FORCE_COLOR === "false") {
    return false;
  }
  return FORCE_COLOR ? true : TERM === "dumb" ? false : undefined;
}

/** Reads a variable of the user, to pass it to a command. */
export function readVariable(name: string, environment: Environment = process.env): string | undefined {
  return environment[name];
}
