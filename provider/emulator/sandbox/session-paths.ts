import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink } from "node:fs/promises";
import { isAbsolute, join, posix } from "node:path";

const mostLinks = 40;

/**
 * Finds where a path of a session lies on this computer. The session's root is the root for `..` and for symbolic links
 * too, as with chroot, so no path leads out of it. What does not exist yet is taken as it is spelled.
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
  return join(root, resolved);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch {
    return undefined;
  }
}

/** Opens a path found by `resolveInside`; fails when a process of the session has put a link there meanwhile. */
export function openResolved(path: string, flags: number): Promise<FileHandle> {
  // Not blocking: a session may have made a pipe there, on which nobody writes.
  return open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o644);
}
