import { execFile } from "node:child_process";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { closeAfterTest } from "./close-after-test";

/** The root folder of this repository. */
export const repositoryRoot = join(__dirname, "..", "..");

/**
 * Runs Node in a folder and returns its standard output, trimmed.
 *
 * @throws Error with its standard error when it fails or takes longer than a minute
 */
export async function runNode(
  args: readonly string[],
  workingDirectory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...args], {
    cwd: workingDirectory,
    timeout: 60_000,
    env: { PATH: process.env["PATH"] ?? "", ...environment },
  });
  return stdout.trim();
}

/** Creates a folder that is removed after the test. */
export async function makeTemporaryFolder(): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "pulumi-agb-test-")));
  closeAfterTest({ close: () => rm(path, { recursive: true, force: true }) });
  return path;
}
