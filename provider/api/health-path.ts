/**
 * Returns whether a string is the path of an app's health check, such as `/health` or `/health?full=1`. It never leads to
 * another host.
 */
export function isHealthPath(value: unknown): value is string {
  return typeof value === "string" && /^\/(?!\/)[\x21-\x7e]{0,1000}$/.test(value) && !/[\\#]/.test(value);
}
