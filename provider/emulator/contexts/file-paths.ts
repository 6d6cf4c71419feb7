import { posix } from "node:path";
import { invalidRequest } from "../failures";

/**
 * The one spelling of a path in a context or a session: absolute, without `.`, `..` and doubled slashes; `..` does not
 * lead above the root. A path without a slash at the beginning means the same as one with it.
 *
 * @param field the parameter's name on the wire, for the message
 * @throws ApiFailure (HTTP 400) when it cannot be a path
 */
export function normalizePath(field: string, path: string): string {
  if (path.includes("\0")) {
    throw invalidRequest(`${field}: must not contain a NUL character`);
  }
  const normalized = posix.normalize(`/${path}`);
  return normalized.length > 1 ? normalized.replace(/\/$/, "") : normalized;
}

/**
 * A file's path, which names something below the root.
 *
 * @throws ApiFailure (HTTP 400)
 */
export function normalizeFilePath(field: string, path: string): string {
  const normalized = normalizePath(field, path);
  if (normalized === "/" || path.endsWith("/")) {
    throw invalidRequest(`${field}: must name a file, not a folder`);
  }
  return normalized;
}

/** The rest of a path below a folder, without a slash at the beginning; undefined when it is not below it. */
export function pathBelow(folder: string, path: string): string | undefined {
  const prefix = folder === "/" ? "/" : `${folder}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}
