import { randomUUID } from "node:crypto";
import { chmod, copyFile, mkdir, readdir, rename } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { executableName, isExecutableFile } from "./path-lookup";

/** The file name of the CLI itself. */
export const engineName = executableName("pulumi");
/** The file name of the program that runs Node.js programs for the engine. */
export const languageHostName = executableName("pulumi-language-nodejs");
/** The file name of the script that starts dynamic providers. It comes with the npm package `@pulumi/pulumi`. */
export const dynamicProviderScriptName =
  process.platform === "win32" ? "pulumi-resource-pulumi-nodejs.cmd" : "pulumi-resource-pulumi-nodejs";

/** The folder in which this project keeps what it installs: `pulumi-agb` in `XDG_CACHE_HOME`, by default `~/.cache`. */
export function cacheDirectory(environment: NodeJS.ProcessEnv): string {
  const configured = environment["XDG_CACHE_HOME"];
  const base =
    configured !== undefined && isAbsolute(configured) ? configured : join(environment["HOME"] ?? homedir(), ".cache");
  return join(base, "pulumi-agb");
}

/** The folder of this project's copy of the CLI in the given version. */
export function installedCopyDirectory(version: string, environment: NodeJS.ProcessEnv): string {
  return join(cacheDirectory(environment), `pulumi-${version}`);
}

/**
 * Names the files that a copy of the CLI lacks; an empty list means that it is complete. A missing dynamic provider script is put in place
 * first, as it only has to be copied from `node_modules`.
 */
export async function completeInstalledCopy(directory: string): Promise<string[]> {
  const missing = [engineName, languageHostName].filter((name) => !isExecutableFile(join(directory, name)));
  const script = join(directory, dynamicProviderScriptName);
  if (missing.length === 0 && !isExecutableFile(script)) {
    const packageDirectory = dirname(createRequire(__filename).resolve("@pulumi/pulumi/package.json"));
    const temporary = `${script}.${randomUUID()}`;
    await copyFile(join(packageDirectory, dynamicProviderScriptName), temporary);
    await chmod(temporary, 0o755);
    await rename(temporary, script);
  }
  return missing;
}

/**
 * Moves all files of a folder on the same disk into a copy's folder. Each file appears whole or not at all, and the engine
 * comes last, so neither a process that is killed meanwhile nor a second one doing the same can leave a broken copy behind.
 */
export async function moveIntoInstalledCopy(fromDirectory: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const names = await readdir(fromDirectory);
  for (const name of [...names.filter((name) => name !== engineName), engineName]) {
    await rename(join(fromDirectory, name), join(directory, name));
  }
}
