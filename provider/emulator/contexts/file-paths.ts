import { posix } from "node:path";
import { invalidRequest } from "../failures";

/**
 * The normal form of a path in a context or a session: absolute, without `.`, `..` and doubled slashes. `..` does not lead
 * above the root. A leading slash may be missing.
 *
 * @param field the parameter's name on the wire, for the message
 * @throws ApiFailure (HTTP 400) when the string cannot be a path
 */
export function normalizePath(field: string, path: string): string {
  if (path.includes("\0")) {
    throw invalidRequest(`${field}: must not contain a NUL character`);
  }
  const normalized = posix.normalize(`/${path}`);
  return normalized.length > 1 ? normalized.replace(/\/$/, "") : normalized;
}

/**
 * The normal form of a file's path, which is below the root and does not end in a slash.
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

/** A path relative to a folder, without a leading slash; undefined if it is not below the folder. */
export function pathBelow(folder: string, path: string): string | undefined {
  const prefix = folder === "/" ? "/" : `${folder}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}
