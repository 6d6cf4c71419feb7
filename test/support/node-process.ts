import { execFile } from "node:child_process";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { closeAfterTest } from "./close-after-test";

/** Root of this repository. */
export const repositoryRoot = join(__dirname, "..", "..");

/** Runs Node in a folder and returns what it printed; ended after ten seconds, an error with its stderr if it fails. */
export async function runNode(
  args: readonly string[],
  workingDirectory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...args], {
    cwd: workingDirectory,
    timeout: 10_000,
    env: { PATH: process.env["PATH"] ?? "", ...environment },
  });
  return stdout.trim();
}

/** Makes a folder that is removed when the test is over. */
export async function makeTemporaryFolder(): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "pulumi-agb-test-")));
  closeAfterTest({ close: () => rm(path, { recursive: true, force: true }) });
  return path;
}
