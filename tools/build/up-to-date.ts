// Keeps a folder up to date with what it is built from. A record says from which inputs it was built, and with which result.

import { createHash, randomUUID } from "node:crypto";
import type { Dirent } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";

/** A folder that is built. */
export interface Target {
  /** Files and folders that it is built from. Folders count with everything in them. */
  readonly inputs: readonly string[];
  /** The folder. Other files in it are removed. */
  readonly outputDirectory: string;
  /** The file that records the last complete build. */
  readonly recordPath: string;
}

/** Contents of the built files, by path below the output folder, with `/` between folders. */
export type BuiltFiles = ReadonlyMap<string, string>;

interface BuildRecord {
  readonly inputs: string;
  readonly outputs: string;
}

/**
 * Builds the folder, unless it is the result of a complete build of the present inputs.
 *
 * @param build returns the files to write
 * @returns whether it was built
 * @throws what `build` throws. Then the folder stays as it was
 */
export async function bringUpToDate(
  target: Target,
  options: { readonly isForced?: boolean },
  build: () => Promise<BuiltFiles>,
): Promise<boolean> {
  // Taken before the build reads them: what changes meanwhile is built the next time.
  const inputs = await fingerprint(target.inputs);
  const record = await readRecord(target.recordPath);
  if (!options.isForced && record?.inputs === inputs && record.outputs === (await fingerprintOutputs(target))) {
    return false;
  }
  const files = await build();
  await writeFiles(target.outputDirectory, files);
  // Written last, and with what the folder should hold. So neither an interrupted build nor two builds that mixed their
  // files count as complete.
  await replaceFile(target.recordPath, JSON.stringify({ inputs, outputs: hashFiles(files) } satisfies BuildRecord));
  return true;
}

async function writeFiles(directory: string, files: BuiltFiles): Promise<void> {
  for (const [path, content] of files) {
    // Untouched if it is right: other processes may be loading it.
    if ((await readIfFile(join(directory, path))) !== content) {
      await replaceFile(join(directory, path), content);
    }
  }
  for (const path of await listFiles(directory)) {
    if (!files.has(toSlashes(relative(directory, path)))) {
      await rm(path, { force: true });
    }
  }
  await removeEmptyFolders(directory);
}

/** Replaces a file in one step, so that no process reads half of it. */
async function replaceFile(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function removeEmptyFolders(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      const folder = join(directory, entry.name);
      await removeEmptyFolders(folder);
      if ((await readdir(folder)).length === 0) {
        await rm(folder, { recursive: true });
      }
    }
  }
}

async function readRecord(path: string): Promise<BuildRecord | undefined> {
  try {
    return JSON.parse((await readIfFile(path)) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

async function fingerprintOutputs({ outputDirectory }: Target): Promise<string> {
  const paths = await listFiles(outputDirectory);
  const contents = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  return hashFiles(
    new Map(paths.map((path, index) => [toSlashes(relative(outputDirectory, path)), contents[index] ?? ""])),
  );
}

async function fingerprint(inputs: readonly string[]): Promise<string> {
  const paths = (await Promise.all(inputs.map(listFiles))).flat();
  const contents = await Promise.all(paths.map((path) => readFile(path, "latin1")));
  return hashFiles(new Map(paths.map((path, index) => [path, contents[index] ?? ""])));
}

function hashFiles(files: BuiltFiles): string {
  const hash = createHash("sha256");
  for (const [path, content] of [...files].sort(([left], [right]) => (left < right ? -1 : 1))) {
    hash.update(JSON.stringify([path, content]));
  }
  return hash.digest("hex");
}

/** A file itself, or all files below a folder. An empty list if there is nothing at the path. */
async function listFiles(path: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(path, { withFileTypes: true, recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") {
      return [path];
    }
    if (code === "ENOENT") {
      return [];
    }
    throw error;
  }
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

async function readIfFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}

function toSlashes(path: string): string {
  return path.split(sep).join("/");
}
