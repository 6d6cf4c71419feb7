import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readlink } from "node:fs/promises";
import { isAbsolute, join, posix } from "node:path";

const mostLinks = 40;

/**
 * Finds the place of a session's path on this computer. The session's root is also the root for `..` and for symbolic links,
 * as with chroot, so no path leads out of it. Parts that do not exist yet are kept as they are.
 *
 * @param root absolute path of the session's root on this computer
 * @param path absolute path in the session
 * @param followsLast whether a symbolic link at the end is followed. @default true
 * @throws Error with code ELOOP when links lead in a circle
 */
export async function resolveInside(root: string, path: string, followsLast = true): Promise<string> {
  let resolved = "/";
  let links = 0;
  const rest = path.split("/");
  while (rest.length > 0) {
    const name = rest.shift() as string;
    if (name === "" || name === ".") {
      continue;
    }
    if (name === "..") {
      resolved = posix.dirname(resolved);
      continue;
    }
    const next = posix.join(resolved, name);
    const isLast = rest.every((part) => part === "");
    const target = isLast && !followsLast ? undefined : await linkTarget(join(root, next));
    if (target === undefined) {
      resolved = next;
      continue;
    }
    links += 1;
    if (links > mostLinks) {
      throw Object.assign(new Error(`ELOOP: too many symbolic links in ${path}`), { code: "ELOOP" });
    }
    resolved = isAbsolute(target) ? "/" : resolved;
    rest.unshift(...target.split("/"));
  }
  // Joined, the path of the root would end in a slash.
  return resolved === "/" ? root : join(root, resolved);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A folder of a session that is held open. Its entries are reached through it. If a process of the session replaces it with
 * a link meanwhile, nothing leads elsewhere.
 */
export interface HeldFolder {
  /** Absolute path in the session. */
  readonly path: string;
  /** The folder itself on this computer, valid while it is held. */
  readonly here: string;
  close(): Promise<void>;
}

/**
 * Opens a folder found by `resolveInside`.
 *
 * @param root absolute path of the session's root on this computer, without links
 * @throws Error with code ENOENT when a process of the session has put something else there meanwhile
 */
export async function holdFolder(root: string, folder: string): Promise<HeldFolder> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(folder, flags);
  const byHandle = `/proc/self/fd/${handle.fd}`;
  // Only Linux says where an open folder is. Elsewhere sessions are not isolated from this computer either.
  const location = await readlink(byHandle).catch(() => undefined);
  if (location !== undefined && location !== root && !location.startsWith(`${root}/`)) {
    await handle.close();
    throw Object.assign(new Error(`ENOENT: ${folder} was replaced`), { code: "ENOENT" });
  }
  return {
    path: (location ?? folder).slice(root.length) || "/",
    here: location === undefined ? folder : byHandle,
    close: () => handle.close(),
  };
}

/**
 * Opens a folder found by `resolveInside`, and creates it and the folders above it if they are missing. Each folder is
 * created through the one above it, which is held open. So nothing is created behind a link that a process of the session
 * puts in the way.
 *
 * @param root absolute path of the session's root on this computer, without links
 * @throws Error with a system error code
 */
export async function makeHeldFolder(root: string, folder: string): Promise<HeldFolder> {
  try {
    return await holdFolder(root, folder);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) {
      throw error;
    }
  }
  let held = await holdFolder(root, root);
  for (const name of folder.slice(root.length).split("/")) {
    if (name !== "") {
      const above = held;
      try {
        await mkdir(`${above.here}/${name}`).catch((error: unknown) => {
          if (!hasCode(error, "EEXIST")) {
            throw error;
          }
        });
        held = await holdFolder(root, `${above.here}/${name}`);
      } finally {
        await above.close();
      }
    }
  }
  return held;
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}

/**
 * Opens a regular file of a session, without waiting. It never opens a pipe or a device, and follows no link.
 *
 * @throws Error with code EISDIR or ENXIO when it is not a regular file
 */
export async function openRegularFile(path: string, flags: number): Promise<FileHandle> {
  // O_TRUNC would empty the file before it is known to be a regular one.
  const handle = await open(path, (flags & ~constants.O_TRUNC) | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o644);
  try {
    const file = await handle.stat();
    if (!file.isFile()) {
      const code = file.isDirectory() ? "EISDIR" : "ENXIO";
      throw Object.assign(new Error(`${code}: not a regular file`), { code });
    }
    if ((flags & constants.O_TRUNC) !== 0) {
      await handle.truncate();
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
