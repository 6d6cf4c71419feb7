import { posix } from "node:path";
import type { LocalFiles } from "../lifecycle/local-files";

/** Where a resource puts files. */
interface Declaration {
  readonly sessionId: unknown;
  readonly path: string;
  /** Absolute paths of its files in the session; only its own path while the source is not known. */
  readonly files: ReadonlySet<string>;
}

/** Which resources of this run put files where, so that no two of them put the same one. */
export class DeclaredFiles {
  readonly #declarations = new Map<string, Declaration>();

  /**
   * Notes what a resource declares.
   *
   * @returns name of a resource that puts one of the same files, or one inside of the other's file
   */
  add(resource: string, sessionId: unknown, path: string, local: LocalFiles | undefined): string | undefined {
    const names = local?.isFolder ? local.files.map((file) => posix.join(path, file.path)) : [path];
    const declaration = { sessionId, path, files: new Set(names) };
    this.#declarations.set(resource, declaration);
    for (const [name, other] of this.#declarations) {
      if (name !== resource && other.sessionId === sessionId && collide(declaration, other)) {
        return name;
      }
    }
    return undefined;
  }
}

function collide(one: Declaration, other: Declaration): boolean {
  return one.path === other.path || holdsFileOf(one, other) || holdsFileOf(other, one);
}

/** Whether a path is that of a folder, or of something in it. */
export function isAtOrBelow(path: string, folder: string): boolean {
  return `${path}/`.startsWith(`${folder}/`);
}

/** Whether a file of one resource, or a folder above it, is a file of the other. */
function holdsFileOf(one: Declaration, other: Declaration): boolean {
  return [...one.files].some(
    (file) => isAtOrBelow(file, other.path) && pathsUpTo(file, other.path).some((path) => other.files.has(path)),
  );
}

/** A path and those of the folders above it, up to one of them. */
function pathsUpTo(path: string, last: string): string[] {
  const paths = [path];
  for (let above = path; above.length > last.length; ) {
    above = posix.dirname(above);
    paths.push(above);
  }
  return paths;
}
