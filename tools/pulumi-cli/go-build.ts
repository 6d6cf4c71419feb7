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
    const go = findOnPath("go", request.environment);
    if (go === undefined) {
      throw new Error("`go` is not on PATH; 1.25 or newer is needed");
    }
    await requireGoVersion(go, request);
    request.report(
      "Building the Pulumi CLI from Go modules, once. This takes 4 to 7 minutes, and 4 GB of disk for Go's caches.",
    );
    const programs = join(request.workDirectory, "programs");
    await mkdir(programs);
    const versionFlag = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${request.version}`;
    await build(go, request, {
      module: "engine",
      importPath: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
      linkerFlags: `-s -w ${versionFlag}`,
      outputPath: join(programs, engineName),
    });
    await build(go, request, {
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

async function requireGoVersion(go: string, { environment, signal }: InstallRequest): Promise<void> {
  const result = await runCommand(go, ["version"], {
    environment,
    timeoutMs: versionTimeoutMs,
    ...(signal === undefined ? {} : { signal }),
  });
  const problem = result.exitCode === 0 ? findGoVersionProblem(result.stdout) : result.failure;
  if (problem !== undefined) {
    throw new Error(problem);
  }
}

interface BuildTarget {
  module: string;
  importPath: string;
  linkerFlags: string;
  outputPath: string;
}

async function build(go: string, request: InstallRequest, target: BuildTarget): Promise<void> {
  const startedAt = Date.now();
  let downloads = 0;
  let packages = 0;
  const progress = startProgress(`building ${target.module}`, request.report);
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
      throw new Error(`building ${target.module} failed:\n${result.failure}`);
    }
  } finally {
    progress.stop();
  }
  request.report(`Built ${target.module} in ${formatElapsed(Date.now() - startedAt)} (${packages} packages compiled).`);
}
