// Keeps a folder up to date with what it is built from. A record says from which inputs it was built, and with which result.

import { createHash, randomUUID } from "node:crypto";
import type { Dirent } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";

/** A folder that is built. */
export interface Target {
  /**
   * Files and folders that it is built from. Folders count with all regular files in them, also through a link to a file.
   * Other links, such as the lock files of an editor, do not count.
   */
  readonly inputs: readonly string[];
  /** Inputs that the process loads only once: the code of the build itself. If they change, only a new process can build. */
  readonly buildCode: readonly string[];
  /** The folder. Other files in it are removed. */
  readonly outputDirectory: string;
  /** The file that records the last complete build. Temporary files are in the same folder. */
  readonly recordPath: string;
}

/** Contents of the built files, by path below the output folder, with `/` between folders. */
export type BuiltFiles = ReadonlyMap<string, string>;

interface BuildRecord {
  readonly inputs: string;
  readonly outputs: string;
}

/** What the inputs are at one moment. */
interface Snapshot {
  /** Hash of their paths and contents. */
  readonly contents: string;
  /** Hash of the change times of files and folders. It also differs after a change that was undone. */
  readonly changes: string;
}

interface Entry {
  readonly path: string;
  readonly isFolder: boolean;
}

/** How often one call builds while the inputs keep changing. */
const maximumBuilds = 3;

/**
 * Builds the folder, unless it is the result of a complete build of the present inputs. Builds again if an input changes
 * during the build.
 *
 * @param build returns the files to write
 * @returns whether it was built
 * @throws what `build` throws. Error if the inputs keep changing, or if the code of the build changes. Then the folder stays
 *   as it was
 */
export async function bringUpToDate(
  target: Target,
  options: { readonly isForced?: boolean },
  build: () => Promise<BuiltFiles>,
): Promise<boolean> {
  const before = await takeSnapshots(target);
  const record = await readRecord(target.recordPath);
  const isCurrent = record?.inputs === before.inputs.contents && record.outputs === (await fingerprintOutputs(target));
  if (!options.isForced && isCurrent) {
    return false;
  }
  const { files, inputs } = await buildUnchangedInputs(target, before, build);
  await writeFiles(target, files);
  // Written last, and with what the folder should hold. So neither an interrupted build nor two builds that mixed their
  // files count as complete.
  await replaceFile(target, target.recordPath, JSON.stringify({ inputs, outputs: hash(files) } satisfies BuildRecord));
  return true;
}

/** Builds until no input changes during the build. Returns the files, and the hash of the inputs that they are built from. */
async function buildUnchangedInputs(
  target: Target,
  first: { readonly inputs: Snapshot; readonly buildCode: Snapshot },
  build: () => Promise<BuiltFiles>,
): Promise<{ files: BuiltFiles; inputs: string }> {
  let before = first;
  for (let count = 1; count <= maximumBuilds; count++) {
    const files = await build();
    const after = await takeSnapshots(target);
    if (hasChanged(before.buildCode, after.buildCode)) {
      throw new Error("Nothing was built: the code of the build changed while it ran. Run the build again.");
    }
    if (!hasChanged(before.inputs, after.inputs)) {
      return { files, inputs: after.inputs.contents };
    }
    before = after;
  }
  throw new Error(
    `Nothing was built: the sources changed during each of ${maximumBuilds} builds. Run the build again when nothing changes them.`,
  );
}

async function takeSnapshots(target: Target): Promise<{ inputs: Snapshot; buildCode: Snapshot }> {
  const buildCode = await takeSnapshot(target.buildCode);
  return { inputs: await takeSnapshot(target.inputs), buildCode };
}

/** Reads the change times before the contents, so that equal change times mean that the contents are those of both moments. */
async function takeSnapshot(inputs: readonly string[]): Promise<Snapshot> {
  const entries = (await Promise.all(inputs.map(listEntries))).flat();
  const found = await Promise.all(
    entries.map(async ({ path }) => ({ path, stats: await unlessMissing(stat(path, { bigint: true })) })),
  );
  const changes = new Map(found.map(({ path, stats }) => [path, `${stats?.ino} ${stats?.ctimeNs}`]));
  const files = found.filter(({ stats }) => stats?.isFile()).map(({ path }) => path);
  return { contents: hash(await readFiles(files, "latin1")), changes: hash(changes) };
}

function hasChanged(before: Snapshot, after: Snapshot): boolean {
  return before.contents !== after.contents || before.changes !== after.changes;
}

async function writeFiles(target: Target, files: BuiltFiles): Promise<void> {
  const directory = target.outputDirectory;
  for (const [path, content] of files) {
    // Untouched if it is right: other processes may be loading it.
    if ((await unlessMissing(readFile(join(directory, path), "utf8"))) !== content) {
      await replaceFile(target, join(directory, path), content);
    }
  }
  // From the end: a folder comes before what is in it.
  for (const { path, isFolder } of (await listEntries(directory)).reverse()) {
    if (isFolder && path !== directory) {
      await removeIfEmpty(path);
    } else if (!isFolder && !files.has(toSlashes(relative(directory, path)))) {
      await rm(path, { force: true });
    }
  }
}

/** Replaces a file in one step, so that no process reads half of it. */
async function replaceFile({ recordPath }: Target, path: string, content: string): Promise<void> {
  // Outside the output folder, where another build that runs at the same time would remove it.
  const temporary = `${recordPath}.${randomUUID()}`;
  try {
    await mkdir(dirname(temporary), { recursive: true });
    await writeFile(temporary, content);
    await mkdir(dirname(path), { recursive: true });
    await rename(temporary, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === "EXDEV") {
        // On another file system, such as a volume for node_modules in a container, no single step replaces the file.
        return copyFile(temporary, path);
      }
      if (error.code === "ENOENT") {
        // Another build removed the folder while it was empty.
        await mkdir(dirname(path), { recursive: true });
        return rename(temporary, path);
      }
      throw error;
    });
  } finally {
    await rm(temporary, { force: true });
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) {
      throw error;
    }
  }
}

async function readRecord(path: string): Promise<BuildRecord | undefined> {
  try {
    return JSON.parse((await unlessMissing(readFile(path, "utf8"))) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

async function fingerprintOutputs({ outputDirectory }: Target): Promise<string> {
  const paths = (await listEntries(outputDirectory)).flatMap(({ path, isFolder }) => (isFolder ? [] : [path]));
  const files = [...(await readFiles(paths, "utf8"))];
  return hash(new Map(files.map(([path, content]) => [toSlashes(relative(outputDirectory, path)), content])));
}

/** Returns the contents by path. `undefined` if there is no file at a path, or no longer. */
async function readFiles(
  paths: readonly string[],
  encoding: "latin1" | "utf8",
): Promise<Map<string, string | undefined>> {
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await unlessMissing(readFile(path, encoding))] as const)),
  );
}

function hash(values: ReadonlyMap<string, string | undefined>): string {
  const digest = createHash("sha256");
  for (const [path, value] of [...values].sort(([left], [right]) => (left < right ? -1 : 1))) {
    digest.update(JSON.stringify([path, value]));
  }
  return digest.digest("hex");
}

/**
 * A file itself, or a folder and everything below it, each folder before its contents. Does not follow links below it. An
 * empty list if there is nothing at the path. Leaves out what another process removes meanwhile.
 */
async function listEntries(path: string): Promise<Entry[]> {
  let children: Dirent[];
  try {
    children = await readdir(path, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") {
      return [{ path, isFolder: false }];
    }
    if (code === "ENOENT") {
      return [];
    }
    throw error;
  }
  const below = await Promise.all(
    children.map((child) => {
      const childPath = join(path, child.name);
      return child.isDirectory() ? listEntries(childPath) : [{ path: childPath, isFolder: false }];
    }),
  );
  return [{ path, isFolder: true }, ...below.flat()];
}

/** Returns `undefined` if the path leads to nothing, or if a file is read but it is a folder. */
async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) {
      return undefined;
    }
    throw error;
  }
}

function toSlashes(path: string): string {
  return path.split(sep).join("/");
}
