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

/** Returns the folder for everything that this project installs: `pulumi-agb` in `XDG_CACHE_HOME`, by default `~/.cache`. */
export function cacheDirectory(environment: NodeJS.ProcessEnv): string {
  const configured = environment["XDG_CACHE_HOME"];
  const base =
    configured !== undefined && isAbsolute(configured) ? configured : join(environment["HOME"] ?? homedir(), ".cache");
  return join(base, "pulumi-agb");
}

/** Returns the folder of this project's copy of the CLI in a version. */
export function installedCopyDirectory(version: string, environment: NodeJS.ProcessEnv): string {
  return join(cacheDirectory(environment), `pulumi-${version}`);
}

/**
 * Completes a copy of the CLI as far as possible: copies the dynamic provider script from `node_modules` if it is missing.
 *
 * @returns the names of the files that are still missing
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
 * Moves all files of a folder on the same disk into a copy's folder. Each file is moved atomically, the engine last. So
 * neither a killed process nor two processes at the same time can leave a broken copy behind.
 */
export async function moveIntoInstalledCopy(fromDirectory: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const names = await readdir(fromDirectory);
  for (const name of [...names.filter((name) => name !== engineName), engineName]) {
    await rename(join(fromDirectory, name), join(directory, name));
  }
}
