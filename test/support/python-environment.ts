import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDirectory } from "./cache-directory";

const run = promisify(execFile);

/** A Python that can run the packages that tests install from PyPI. */
export interface FoundPython {
  readonly python: string;
  /** Identifies it among all Pythons that may have an environment. */
  readonly version: string;
}

/** Finds the first Python 3.10 or newer on PATH. Returns `undefined` if there is none. */
export function findPython(): FoundPython | undefined {
  for (const python of ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"]) {
    const code = "import sys; assert sys.version_info >= (3, 10); print(sys.version, sys.base_prefix)";
    const { status, stdout } = spawnSync(python, ["-c", code], { timeout: 30_000, encoding: "utf8" });
    if (status === 0) {
      return { python, version: stdout };
    }
  }
  return undefined;
}

/**
 * Creates a virtual environment with the packages of a requirements file, unless it exists. That takes half a minute. The
 * environment stays in the user's cache folder.
 *
 * @param name prefix of the environment's folder; a digest of Python and requirements follows
 * @returns the folder of the environment's programs
 * @throws Error when the packages cannot be installed
 */
export async function installPythonPackages(
  { python, version }: FoundPython,
  name: string,
  requirementsPath: string,
): Promise<string> {
  const requirements = readFileSync(requirementsPath);
  const digest = createHash("sha256").update(version).update(requirements).digest("hex").slice(0, 16);
  const environment = join(cacheDirectory(), `${name}-${digest}`);
  const ready = join(environment, "ready");
  if (!existsSync(ready)) {
    await mkdir(cacheDirectory(), { recursive: true });
    await createEnvironment({ python, environment, requirementsPath, ready });
  }
  return join(environment, "bin");
}

interface EnvironmentPlan {
  readonly python: string;
  readonly environment: string;
  readonly requirementsPath: string;
  /** File that marks a complete environment. */
  readonly ready: string;
}

async function createEnvironment({ python, environment, requirementsPath, ready }: EnvironmentPlan): Promise<void> {
  // Scripts in a virtual environment contain its path, so it cannot be created elsewhere and moved. The first process takes
  // the lock, and the others wait for the file that marks it as complete.
  const lock = `${environment}.lock`;
  try {
    await mkdir(lock);
  } catch {
    return await waitForOther(ready, lock);
  }
  try {
    await rm(environment, { recursive: true, force: true });
    await run(python, ["-m", "venv", environment], { timeout: 120_000 });
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirementsPath];
    await run(join(environment, "bin", "python"), pip, { timeout: 500_000 });
    await writeFile(ready, "");
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function waitForOther(ready: string, lock: string): Promise<void> {
  for (let second = 0; !existsSync(ready); second += 1) {
    if (second > 500 || !existsSync(lock)) {
      throw new Error(`Another process did not finish ${ready}. If no process is creating it, remove ${lock}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
