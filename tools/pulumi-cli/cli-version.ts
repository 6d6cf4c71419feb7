import { runCommand } from "./run-command";

const answerTimeoutMs = 30_000;

/** The lowest supported version. Since 3.216 a dynamic provider's `read` may return inputs. */
export const lowestVersion = "3.216.0";

/**
 * Returns why a version of the CLI cannot be used, or `undefined` if it can: 3.216 or newer, and below 4. A leading `v` is
 * allowed.
 */
export function findVersionProblem(version: string): string | undefined {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  if (parts === null) {
    return version === "" ? "it prints no version" : `it prints an unknown version: ${version}`;
  }
  const major = Number(parts[1]);
  const minor = Number(parts[2]);
  if (major > 3) {
    return `version ${stripPrefix(version)} is too new; use a version below 4`;
  }
  if (major < 3 || minor < 216) {
    return `version ${stripPrefix(version)} is too old; use ${lowestVersion} or newer`;
  }
  return undefined;
}

/**
 * Reads the version of a CLI, such as `3.245.0`.
 *
 * @throws Error when it does not run, does not answer within 30 seconds, or has an unsupported version
 */
export async function readCliVersion(
  command: string,
  environment: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<string> {
  const result = await runCommand(command, ["version"], {
    environment: { ...environment, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeoutMs: answerTimeoutMs,
    ...(signal === undefined ? {} : { signal }),
  });
  if (result.exitCode !== 0) {
    throw new Error(`\`pulumi version\` failed: ${result.failure}`);
  }
  const version = result.stdout.trim();
  const problem = findVersionProblem(version);
  if (problem !== undefined) {
    throw new Error(problem);
  }
  return stripPrefix(version);
}

function stripPrefix(version: string): string {
  return version.replace(/^v/, "");
}
