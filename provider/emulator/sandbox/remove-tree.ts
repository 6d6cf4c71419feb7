import { chmod, lstat, mkdir, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { randomString } from "../identifiers";

/**
 * Removes a folder and everything in it, also where Node's `rm` fails: below a path that is too long for the system, under a
 * name that is not UTF-8, in a folder that its owner may not write. Follows no links.
 *
 * @throws Error when something cannot be removed; everything else is removed
 */
export async function removeTree(path: string): Promise<void> {
  const aside = join(dirname(path), `.removing-${randomString(12)}`);
  // Moves every folder beside the others first, so that no path is longer than two names.
  const folders: string[] = [];
  let problem: unknown;
  const note = (error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      problem ??= error;
    }
  };
  const moveAside = async (source: string | Buffer) => {
    await chmod(source, 0o700);
    const target = join(aside, String(folders.length));
    await rename(source, target);
    folders.push(target);
  };
  try {
    if (!(await lstat(path)).isDirectory()) {
      await unlink(path);
      return;
    }
  } catch (error) {
    note(error);
    if (problem === undefined) {
      return;
    }
    throw error;
  }
  await mkdir(aside);
  await moveAside(path).catch(note);
  for (let next = 0; next < folders.length; next += 1) {
    const folder = folders[next] as string;
    for (const name of await readdir(folder, { encoding: "buffer" })) {
      const entry = Buffer.concat([Buffer.from(`${folder}/`), name]);
      await unlink(entry).catch((error: NodeJS.ErrnoException) =>
        // The error for a folder: EISDIR on Linux, EPERM elsewhere.
        error.code === "EISDIR" || error.code === "EPERM" ? moveAside(entry).catch(note) : note(error),
      );
    }
  }
  for (const folder of folders) {
    await rmdir(folder).catch(note);
  }
  await rmdir(aside).catch(note);
  if (problem !== undefined) {
    throw problem;
  }
}
