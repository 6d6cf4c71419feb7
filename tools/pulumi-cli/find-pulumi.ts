// Finds or installs the Pulumi CLI for the quick start and the tests. `findPulumi` tries PATH, the copy that was installed
// earlier, Pulumi's installer and a build from Go modules, in this order. The other files in this folder are its parts.
// Imports nothing from the rest of the project.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { lowestVersion, readCliVersion } from "./cli-version";
import { goInstaller } from "./go-build";
import { withInstallLock } from "./install-lock";
import {
  cacheDirectory,
  completeInstalledCopy,
  engineName,
  installedCopyDirectory,
  moveIntoInstalledCopy,
} from "./installed-copy";
import type { Installer } from "./installer";
import { findOnPath } from "./path-lookup";
import { readPinnedVersion } from "./pinned-version";
import { vendorInstaller } from "./vendor-installer";
import { withWorkDirectory } from "./work-directory";

/** A working Pulumi CLI. */
export interface FoundPulumi {
  /** The full path of `pulumi`. */
  command: string;
  /** Its folder. Put it first on PATH, so that the CLI finds its own language host and script. */
  binDirectory: string;
  /** Its version, such as `3.245.0`. */
  version: string;
  /** Where it comes from: PATH, a copy that was installed earlier, or the installer that has just installed it. */
  origin: "path" | "cache" | Installer["origin"];
}

/** Where and how to look for the CLI. */
export interface FindPulumiOptions {
  /** The environment variables for the search and for installers. Reads PATH, XDG_CACHE_HOME and HOME. Default: `process.env`. */
  environment?: NodeJS.ProcessEnv;
  /** The version to install. Default: the one that package.json pins for `@pulumi/pulumi`. */
  version?: string;
  /** Called with each line of progress. Default: prints to standard error. */
  report?: (line: string) => void;
  /** When aborted, stops the search and everything that it started. */
  signal?: AbortSignal;
  /** The installers, tried in this order. Default: Pulumi's installer, then Go modules. */
  installers?: readonly Installer[];
}

/** One failed attempt to find the CLI. */
export interface FailedAttempt {
  title: string;
  reason: string;
}

/** No Pulumi CLI was found and none could be installed. The message lists what was tried and what the user can do. */
export class PulumiNotFoundError extends Error {
  override readonly name = "PulumiNotFoundError";

  constructor(readonly attempts: readonly FailedAttempt[]) {
    const tried = attempts.map(({ title, reason }, index) => {
      return `  ${index + 1}. ${title}: ${reason.replaceAll("\n", "\n     ")}`;
    });
    super(
      [
        "No working Pulumi CLI was found, and none could be installed. Tried in this order:",
        ...tried,
        "Do one of these:",
        `  - Install the Pulumi CLI, ${lowestVersion} or newer and below 4, and put \`pulumi\` on PATH: https://www.pulumi.com/docs/install`,
        "  - Install Go 1.25 or newer (https://go.dev/doc/install) and run this again to build the Pulumi CLI.",
      ].join("\n"),
    );
  }
}

/**
 * Finds or installs a Pulumi CLI, 3.216 or newer and below 4. Tries `pulumi` on PATH first, then the copy that this project
 * installed earlier in `${XDG_CACHE_HOME:-~/.cache}/pulumi-agb/pulumi-VERSION`. If neither works, installs that copy with
 * Pulumi's installer or from Go modules.
 *
 * @throws PulumiNotFoundError when nothing works, or the abort signal's reason when aborted
 */
export async function findPulumi(options: FindPulumiOptions = {}): Promise<FoundPulumi> {
  const search: Search = {
    environment: options.environment ?? process.env,
    version: options.version ?? readPinnedVersion(),
    report: options.report ?? ((line) => console.error(line)),
    signal: options.signal,
    installers: options.installers ?? [vendorInstaller, goInstaller],
    attempts: [],
  };
  const found = (await tryPath(search)) ?? (await tryInstalledCopy(search)) ?? (await tryInstall(search));
  if (found === undefined) {
    throw new PulumiNotFoundError(search.attempts);
  }
  search.report(`Pulumi CLI ${found.version}: ${found.command}`);
  return found;
}

interface Search extends Required<Omit<FindPulumiOptions, "signal">> {
  signal: AbortSignal | undefined;
  attempts: FailedAttempt[];
}

async function tryPath(search: Search): Promise<FoundPulumi | undefined> {
  const command = findOnPath("pulumi", search.environment);
  if (command === undefined) {
    search.attempts.push({ title: "pulumi on PATH", reason: "not found" });
    return undefined;
  }
  try {
    return await open(search, dirname(command), "path");
  } catch (error) {
    const reason = reasonOf(search, error);
    search.attempts.push({ title: "pulumi on PATH", reason: `${command} cannot be used: ${reason}` });
    search.report(`Skipped ${command}: ${reason}`);
    return undefined;
  }
}

async function tryInstalledCopy(search: Search): Promise<FoundPulumi | undefined> {
  const directory = installedCopyDirectory(search.version, search.environment);
  try {
    return await openInstalledCopy(search, "cache");
  } catch (error) {
    const reason = reasonOf(search, error);
    search.attempts.push({ title: `a copy installed earlier, in ${directory}`, reason });
    return undefined;
  }
}

async function tryInstall(search: Search): Promise<FoundPulumi | undefined> {
  const parent = cacheDirectory(search.environment);
  try {
    await mkdir(parent, { recursive: true });
    return await withInstallLock(
      join(parent, `pulumi-${search.version}.lock`),
      {
        onWait: () => search.report("Another process is installing the Pulumi CLI. Waiting for it."),
        ...(search.signal === undefined ? {} : { signal: search.signal }),
      },
      // Another process may have installed it in the meantime.
      async () => (await openInstalledCopy(search, "cache").catch(() => undefined)) ?? (await runInstallers(search)),
    );
  } catch (error) {
    search.attempts.push({ title: `installing into ${parent}`, reason: reasonOf(search, error) });
    return undefined;
  }
}

async function runInstallers(search: Search): Promise<FoundPulumi | undefined> {
  for (const installer of search.installers) {
    search.report(`Trying to install the Pulumi CLI: ${installer.title}.`);
    try {
      await withWorkDirectory(cacheDirectory(search.environment), async (workDirectory) => {
        const { version, environment, report, signal } = search;
        const programs = await installer.install({
          version,
          workDirectory,
          environment,
          report,
          ...(signal === undefined ? {} : { signal }),
        });
        await moveIntoInstalledCopy(programs, installedCopyDirectory(version, environment));
      });
      return await openInstalledCopy(search, installer.origin);
    } catch (error) {
      const reason = reasonOf(search, error);
      search.attempts.push({ title: installer.title, reason });
      search.report(`The installation failed: ${reason}`);
    }
  }
  return undefined;
}

async function openInstalledCopy(search: Search, origin: FoundPulumi["origin"]): Promise<FoundPulumi> {
  const directory = installedCopyDirectory(search.version, search.environment);
  if (!existsSync(directory)) {
    throw new Error("not found");
  }
  const missing = await completeInstalledCopy(directory);
  if (missing.length > 0) {
    throw new Error(`missing: ${missing.join(", ")}`);
  }
  return open(search, directory, origin);
}

async function open(search: Search, binDirectory: string, origin: FoundPulumi["origin"]): Promise<FoundPulumi> {
  const command = join(binDirectory, engineName);
  const version = await readCliVersion(command, search.environment, search.signal);
  return { command, binDirectory, version, origin };
}

/** Returns the reason of a failed attempt. Throws if the search was aborted, so that nothing else is tried. */
function reasonOf(search: Search, error: unknown): string {
  search.signal?.throwIfAborted();
  return error instanceof Error ? error.message : String(error);
}
