import { homedir } from "node:os";
import { join } from "node:path";

/** Returns the folder for everything that tests install once and keep. */
export function cacheDirectory(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "pulumi-agb");
}
