import { chmod, lstat, mkdir, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { randomText } from "../identifiers";

/**
 * Removes a folder and all that is in it, also where `rm` of Node.js fails: below a path that is longer than the system
 * takes, under a name that is not UTF-8, in a folder that its owner may not write. Follows no links.
 *
 * @throws Error when something cannot be removed; the rest is gone then
 */
export async function removeTree(path: string): Promise<void> {
  const aside = join(dirname(path), `.removing-${randomText(12)}`);
  // Every folder is first moved beside the others, so that no path is longer than two names.
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
        // What a folder answers: EISDIR on Linux, EPERM elsewhere.
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
