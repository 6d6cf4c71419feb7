import { homedir } from "node:os";
import { join } from "node:path";

/** Folder of what tests install once and keep. */
export function cacheDirectory(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "pulumi-agb");
}
