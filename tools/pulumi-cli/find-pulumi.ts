// Finds the Pulumi CLI for the quick start and the tests, and installs it where there is none: `findPulumi` tries PATH, the copy installed
// earlier, Pulumi's installer and a build from Go modules, in this order. Everything else in this folder serves it. Imports
// nothing from the rest of the project.

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

/** A Pulumi CLI that can be run. */
export interface FoundPulumi {
  /** The full path of `pulumi`. */
  command: string;
  /** Its folder. To be put first on PATH when the CLI runs, so that it finds its own language host and script. */
  binDirectory: string;
  /** Its version, such as `3.245.0`. */
  version: string;
  /** Where it was found: on PATH, as a copy installed earlier, or just installed from Pulumi's installer or from Go modules. */
  origin: "path" | "cache" | Installer["origin"];
}

/** Where and how to look for the CLI. */
export interface FindPulumiOptions {
  /** The environment variables whose PATH, XDG_CACHE_HOME and HOME count and that installers run with; `process.env` by default. */
  environment?: NodeJS.ProcessEnv;
  /** The version to install; by default the one package.json pins for `@pulumi/pulumi`. */
  version?: string;
  /** Takes each line about what is being done; by default they go to standard error. */
  report?: (line: string) => void;
  /** Stops looking when aborted, with all that was started. */
  signal?: AbortSignal;
  /** The ways to install the CLI, tried in this order; by default Pulumi's installer, then Go modules. */
  installers?: readonly Installer[];
}

/** One thing that was tried to find the CLI, and why it did not work. */
export interface FailedAttempt {
  title: string;
  reason: string;
}

/** No Pulumi CLI was found or could be installed. The message lists what was tried and what the user can do. */
export class PulumiNotFoundError extends Error {
  override readonly name = "PulumiNotFoundError";

  constructor(readonly attempts: readonly FailedAttempt[]) {
    const tried = attempts.map(({ title, reason }, index) => {
      return `  ${index + 1}. ${title}: ${reason.replaceAll("\n", "\n     ")}`;
    });
    super(
      [
        "There is no Pulumi CLI that works, and none could be installed. Tried in this order:",
        ...tried,
        "What you can do, one of:",
        `  - install the Pulumi CLI, ${lowestVersion} or newer and below 4 (https://www.pulumi.com/docs/install), so that \`pulumi\` is on PATH`,
        "  - install Go 1.25 or newer (https://go.dev/doc/install) and run this again, which builds the Pulumi CLI",
      ].join("\n"),
    );
  }
}

/**
 * Finds a Pulumi CLI, 3.216 or newer and below 4: `pulumi` on PATH, else the copy that this project installed earlier in
 * `${XDG_CACHE_HOME:-~/.cache}/pulumi-agb/pulumi-VERSION`, else it installs that copy with Pulumi's installer or from Go modules.
 *
 * @throws PulumiNotFoundError when nothing works, or the abort signal's reason when aborted.
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
  const found = (await findOnPathOrNote(search)) ?? (await findInstalledOrNote(search)) ?? (await install(search));
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

async function findOnPathOrNote(search: Search): Promise<FoundPulumi | undefined> {
  const command = findOnPath("pulumi", search.environment);
  if (command === undefined) {
    search.attempts.push({ title: "pulumi on PATH", reason: "not found" });
    return undefined;
  }
  try {
    return await open(search, dirname(command), "path");
  } catch (error) {
    const reason = readReason(search, error);
    search.attempts.push({ title: "pulumi on PATH", reason: `${command} is passed over: ${reason}` });
    search.report(`Passed over ${command}: ${reason}`);
    return undefined;
  }
}

async function findInstalledOrNote(search: Search): Promise<FoundPulumi | undefined> {
  const directory = installedCopyDirectory(search.version, search.environment);
  try {
    return await openInstalledCopy(search, "cache");
  } catch (error) {
    const reason = readReason(search, error);
    search.attempts.push({ title: `a copy installed earlier, in ${directory}`, reason });
    return undefined;
  }
}

async function install(search: Search): Promise<FoundPulumi | undefined> {
  const parent = cacheDirectory(search.environment);
  try {
    await mkdir(parent, { recursive: true });
    return await withInstallLock(
      join(parent, `pulumi-${search.version}.lock`),
      {
        onWait: () => search.report("Waiting for another process that is installing the Pulumi CLI."),
        ...(search.signal === undefined ? {} : { signal: search.signal }),
      },
      // Another process may have installed it since this one looked.
      async () => (await openInstalledCopy(search, "cache").catch(() => undefined)) ?? (await runInstallers(search)),
    );
  } catch (error) {
    search.attempts.push({ title: `installing into ${parent}`, reason: readReason(search, error) });
    return undefined;
  }
}

async function runInstallers(search: Search): Promise<FoundPulumi | undefined> {
  for (const installer of search.installers) {
    search.report(`No Pulumi CLI yet, trying ${installer.title}.`);
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
      const reason = readReason(search, error);
      search.attempts.push({ title: installer.title, reason });
      search.report(`That did not work: ${reason}`);
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
    throw new Error(`it lacks ${missing.join(" and ")}`);
  }
  return open(search, directory, origin);
}

async function open(search: Search, binDirectory: string, origin: FoundPulumi["origin"]): Promise<FoundPulumi> {
  const command = join(binDirectory, engineName);
  const version = await readCliVersion(command, search.environment, search.signal);
  return { command, binDirectory, version, origin };
}

/** The reason to note for a failed attempt. Rethrows when the search was aborted: nothing more is to be tried then. */
function readReason(search: Search, error: unknown): string {
  search.signal?.throwIfAborted();
  return error instanceof Error ? error.message : String(error);
}
