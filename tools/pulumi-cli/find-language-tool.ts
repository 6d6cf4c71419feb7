// Builds what the tests of the plugin need in addition to the Pulumi CLI: language hosts for YAML, Python and Go, and a
// generator of SDKs. `README.md` says why they come from Go modules.

import { createHash } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { copyFile, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type BuildRequest, buildGoProgram, type GoProgram, requireGo } from "./go-build";
import { withInstallLock } from "./install-lock";
import { cacheDirectory } from "./installed-copy";
import { executableName, isExecutableFile } from "./path-lookup";
import { runCommand } from "./run-command";
import { withWorkDirectory } from "./work-directory";

const pythonExecutor = "pulumi-language-python-exec";
const sdkModule = "github.com/pulumi/pulumi/sdk/v3";
const listTimeoutMs = 300_000;

interface LanguageToolSource extends Omit<GoProgram, "name" | "linkerFlags" | "outputPath"> {
  readonly program: string;
  /** How long the first build takes on two cores. */
  readonly buildTime: string;
}

const sources = {
  "language-yaml": {
    module: "language-yaml",
    importPath: "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
    program: "pulumi-language-yaml",
    buildTime: "2 to 5 minutes",
  },
  "language-python": {
    module: "language-nodejs",
    importPath: `${sdkModule}/python/cmd/pulumi-language-python`,
    program: "pulumi-language-python",
    buildTime: "a minute",
  },
  "language-go": {
    module: "language-go",
    importPath: `${sdkModule}/go/pulumi-language-go`,
    program: "pulumi-language-go",
    buildTime: "a minute",
  },
  "sdk-generator": {
    module: "engine",
    importPath: "./sdk-generator",
    program: "sdk-generator",
    buildTime: "up to 4 minutes",
  },
} as const satisfies Record<string, LanguageToolSource>;

/** A program that tests need for one language or another. */
export type LanguageTool = keyof typeof sources;

/** Where and how to build. */
export interface FindLanguageToolOptions {
  /** The environment variables of Go. Reads PATH, XDG_CACHE_HOME and HOME. Default: `process.env`. */
  environment?: NodeJS.ProcessEnv;
  /** Called with each line of progress. Default: prints to standard error. */
  report?: (line: string) => void;
}

/** A program that was built. */
export interface FoundLanguageTool {
  /** Its full path. */
  command: string;
  /** Its folder, which holds nothing that belongs to another program. */
  binDirectory: string;
}

/**
 * Finds a program in `${XDG_CACHE_HOME:-~/.cache}/pulumi-agb`, or builds it there with `go` 1.25 or newer from PATH. A change
 * of its Go module gives it another folder, so it is built again.
 *
 * @throws Error when it cannot be built
 */
export async function findLanguageTool(
  tool: LanguageTool,
  options: FindLanguageToolOptions = {},
): Promise<FoundLanguageTool> {
  const request: BuildRequest = {
    environment: options.environment ?? process.env,
    report: options.report ?? ((line) => console.error(line)),
  };
  const parent = cacheDirectory(request.environment);
  const binDirectory = join(parent, `${tool}-${digestModule(sources[tool].module)}`);
  const command = join(binDirectory, executableName(sources[tool].program));
  if (!isExecutableFile(command)) {
    await mkdir(parent, { recursive: true });
    const onWait = () => request.report(`Another process is building ${tool}. Waiting for it.`);
    await withInstallLock(`${binDirectory}.lock`, { onWait }, async () => {
      // Another process may have built it in the meantime.
      if (!isExecutableFile(command)) {
        await withWorkDirectory(parent, (workDirectory) => buildInto(tool, request, workDirectory, binDirectory));
      }
    });
  }
  return { command, binDirectory };
}

async function buildInto(
  tool: LanguageTool,
  request: BuildRequest,
  workDirectory: string,
  binDirectory: string,
): Promise<void> {
  const { module, importPath, program, buildTime } = sources[tool];
  const go = await requireGo(request);
  request.report(`Building ${tool} from Go modules, once. This takes ${buildTime}.`);
  const programs = join(workDirectory, "programs");
  await mkdir(programs);
  const outputPath = join(programs, executableName(program));
  await buildGoProgram(go, request, { name: tool, module, importPath, linkerFlags: "-s -w", outputPath });
  if (tool === "language-python") {
    await copyPythonExecutor(go, request, programs);
  }
  // If the folder exists, its program was deleted, so nothing uses it.
  await rm(binDirectory, { recursive: true, force: true });
  await rename(programs, binDirectory);
}

/** Copies the script that the Python host runs, which has to be next to it. */
async function copyPythonExecutor(go: string, { environment }: BuildRequest, programs: string): Promise<void> {
  const directory = join(__dirname, sources["language-python"].module);
  const parameters = ["list", "-m", "-f", "{{.Dir}}", sdkModule];
  const { exitCode, stdout, failure } = await runCommand(go, parameters, {
    directory,
    environment,
    timeoutMs: listTimeoutMs,
  });
  if (exitCode !== 0) {
    throw new Error(`the source of ${pythonExecutor} was not found: ${failure}`);
  }
  const path = join(programs, pythonExecutor);
  await copyFile(join(stdout.trim(), "python", "cmd", pythonExecutor), path);
  // Files of Go modules are neither writable nor executable.
  chmodSync(path, 0o755);
}

/** Identifies versions and code of a module in this folder. */
function digestModule(module: string): string {
  const folder = join(__dirname, module);
  const hash = createHash("sha256");
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    if (/\.(?:go|mod|sum)$/.test(name) && existsSync(join(folder, name))) {
      hash
        .update(name)
        .update("\0")
        .update(readFileSync(join(folder, name)))
        .update("\0");
    }
  }
  return hash.digest("hex").slice(0, 16);
}
