import { runCommand } from "./run-command";

const answerTimeoutMs = 30_000;

/** The lowest version that works: since 3.216 a dynamic provider's `read` may return inputs. */
export const lowestVersion = "3.216.0";

/**
 * Says why a version of the CLI cannot be used; `undefined` when it can, which is 3.216 or newer and below 4.
 * A leading `v` is allowed.
 */
export function findVersionProblem(version: string): string | undefined {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  if (parts === null) {
    return version === "" ? "it does not tell its version" : `its version is not understood: ${version}`;
  }
  const major = Number(parts[1]);
  const minor = Number(parts[2]);
  if (major > 3) {
    return `version ${stripPrefix(version)} is too new, below 4 is needed`;
  }
  if (major < 3 || minor < 216) {
    return `version ${stripPrefix(version)} is too old, ${lowestVersion} or newer is needed`;
  }
  return undefined;
}

/**
 * Asks a CLI for its version, such as `3.245.0`.
 *
 * @throws Error with the reason when it does not run, does not answer within 30 seconds, or has a version that cannot be used.
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
    throw new Error(`\`pulumi version\` fails: ${result.failure}`);
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
