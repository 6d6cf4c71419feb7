import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// Reads processes from Linux's /proc.

/** Returns the ids of all descendants of a process. */
export function descendantsOf(pid: number): number[] {
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && parentOf(Number(name)) === pid);
  return children.flatMap((name) => [Number(name), ...descendantsOf(Number(name))]);
}

/** Returns whether a process is one of Pulumi's dynamic providers, or the plugin. */
export function isProvider(pid: number): boolean {
  return /dynamic-provider|pulumi-resource-agb/.test(readProcess(pid, "cmdline"));
}

/** Returns whether a process is running. */
export function isAlive(pid: number): boolean {
  return /^State:\s*[^Z]/m.test(readProcess(pid, "status"));
}

/** Kills a process, unless it has already ended. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has already ended.
  }
}

/** Returns the environment that makes provider processes record in a folder that they have loaded this package. */
export function recordingEnvironment(notes: string): Record<string, string> {
  return { CHAOS_NOTES: notes, NODE_OPTIONS: `--require ${JSON.stringify(join(__dirname, "note-loading.cjs"))}` };
}

/** Returns whether a provider process has loaded this package. Before that, none of our code runs in it. */
export function hasLoadedPackage(pid: number, notes: string): boolean {
  return existsSync(join(notes, String(pid)));
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(readProcess(pid, "status"))?.[1] ?? -1);
}

function readProcess(pid: number, file: "status" | "cmdline"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
