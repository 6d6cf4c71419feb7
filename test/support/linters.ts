import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDirectory } from "./cache-directory";
import { type FoundPython, findPython, installPythonPackages } from "./python-environment";

const run = promisify(execFile);

const actionlintVersion = "1.7.12";
const actionlintPackage = `github.com/rhysd/actionlint/cmd/actionlint@v${actionlintVersion}`;

/** The tools that are needed to install the linters. */
export interface LinterTools {
  readonly python: FoundPython;
}

/** Finds the tools that are needed to install the linters. Returns a message if one is missing. */
export function findLinterTools(): LinterTools | string {
  const python = findPython();
  if (python === undefined) {
    return "shellcheck and zizmor need Python 3.10 or newer";
  }
  return spawnSync("go", ["version"]).status === 0 ? { python } : "actionlint needs Go";
}

/** Paths of the programs. */
export interface Linters {
  readonly actionlint: string;
  readonly shellcheck: string;
  readonly zizmor: string;
}

/**
 * Installs shellcheck and zizmor from PyPI and builds actionlint from its Go module. The first time takes a minute; the
 * result stays in the user's cache folder. actionlint's packages on PyPI and npm download it from elsewhere or lack
 * shellcheck.
 *
 * @throws Error when an installation fails
 */
export async function installLinters({ python }: LinterTools): Promise<Linters> {
  const requirementsPath = join(__dirname, "linters-requirements.txt");
  const [actionlint, programs] = [
    await buildActionlint(),
    await installPythonPackages(python, "linters", requirementsPath),
  ];
  return { actionlint, shellcheck: join(programs, "shellcheck"), zizmor: join(programs, "zizmor") };
}

async function buildActionlint(): Promise<string> {
  const folder = join(cacheDirectory(), `actionlint-${actionlintVersion}`);
  const program = join(folder, "actionlint");
  if (existsSync(program)) {
    return program;
  }
  await mkdir(cacheDirectory(), { recursive: true });
  const building = await mkdtemp(`${folder}-`);
  try {
    await run("go", ["install", actionlintPackage], { env: { ...process.env, GOBIN: building }, timeout: 500_000 });
    await rename(building, folder).catch((error) => {
      // Another process was faster.
      if (!existsSync(program)) {
        throw error;
      }
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return program;
}
