import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { engineName, languageHostName } from "./installed-copy";
import type { Installer, InstallRequest } from "./installer";
import { findOnPath } from "./path-lookup";
import { formatElapsed, startProgress } from "./progress";
import { runCommand } from "./run-command";

const versionTimeoutMs = 30_000;
const buildTimeoutMs = 60 * 60_000;

/**
 * Builds the CLI from the Go modules in this folder, with `go` 1.25 or newer from PATH. The first build takes 4 to 7 minutes
 * and 4 GB for Go's caches. The build is stopped after an hour.
 */
export const goInstaller: Installer = {
  origin: "go",
  title: "a build from Go modules",
  async install(request) {
    const go = await requireGo(request);
    request.report(
      "Building the Pulumi CLI from Go modules, once. This takes 4 to 7 minutes, and 4 GB of disk for Go's caches.",
    );
    const programs = join(request.workDirectory, "programs");
    await mkdir(programs);
    const versionFlag = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${request.version}`;
    await buildGoProgram(go, request, {
      name: "engine",
      module: "engine",
      importPath: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
      linkerFlags: `-s -w ${versionFlag}`,
      outputPath: join(programs, engineName),
    });
    await buildGoProgram(go, request, {
      name: "language-nodejs",
      module: "language-nodejs",
      importPath: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
      linkerFlags: "-s -w",
      outputPath: join(programs, languageHostName),
    });
    return programs;
  },
};

/** Returns why Go cannot be used, from what `go version` printed, or `undefined` if it can: 1.25 or newer. */
export function findGoVersionProblem(output: string): string | undefined {
  const parts = /\bgo(\d+)\.(\d+)/.exec(output);
  if (parts === null) {
    // A Go that was built from its repository calls itself "devel". It is newer than 1.25.
    return output.includes("devel") ? undefined : `\`go version\` printed no known version: ${output.trim()}`;
  }
  const [major, minor] = [Number(parts[1]), Number(parts[2])];
  return major > 1 || minor >= 25 ? undefined : `go ${major}.${minor} is too old; use 1.25 or newer`;
}

/**
 * Finds `go` on PATH. @returns its path
 *
 * @throws Error when there is none, or it is older than 1.25
 */
export async function requireGo({ environment, signal }: BuildRequest): Promise<string> {
  const go = findOnPath("go", environment);
  if (go === undefined) {
    throw new Error("`go` is not on PATH; 1.25 or newer is needed");
  }
  const result = await runCommand(go, ["version"], {
    environment,
    timeoutMs: versionTimeoutMs,
    ...(signal === undefined ? {} : { signal }),
  });
  const problem = result.exitCode === 0 ? findGoVersionProblem(result.stdout) : result.failure;
  if (problem !== undefined) {
    throw new Error(problem);
  }
  return go;
}

/** How to run Go. */
export type BuildRequest = Pick<InstallRequest, "environment" | "report" | "signal">;

/** A program to build from Go modules. */
export interface GoProgram {
  /** Its name in messages. */
  name: string;
  /** A folder next to this file that contains a `go.mod`. */
  module: string;
  importPath: string;
  linkerFlags: string;
  outputPath: string;
}

/**
 * Builds a program and shows the progress. The build is stopped after an hour.
 *
 * @throws Error with Go's output when it fails
 */
export async function buildGoProgram(go: string, request: BuildRequest, target: GoProgram): Promise<void> {
  const startedAt = Date.now();
  let downloads = 0;
  let packages = 0;
  const progress = startProgress(`building ${target.name}`, request.report);
  try {
    const result = await runCommand(
      go,
      ["build", "-v", "-trimpath", "-ldflags", target.linkerFlags, "-o", target.outputPath, target.importPath],
      {
        directory: join(__dirname, target.module),
        environment: request.environment,
        timeoutMs: buildTimeoutMs,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
        onErrorLine(line) {
          if (line.startsWith("go: downloading")) {
            downloads += 1;
          } else {
            packages += 1;
          }
          progress.update(`${downloads} modules downloaded, ${packages} packages compiled`);
        },
      },
    );
    if (result.exitCode !== 0) {
      throw new Error(`building ${target.name} failed:\n${result.failure}`);
    }
  } finally {
    progress.stop();
  }
  request.report(`Built ${target.name} in ${formatElapsed(Date.now() - startedAt)} (${packages} packages compiled).`);
}
