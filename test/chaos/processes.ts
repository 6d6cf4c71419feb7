import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// Processes as Linux tells of them.

/** Ids of all processes below one. */
export function descendantsOf(pid: number): number[] {
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && parentOf(Number(name)) === pid);
  return children.flatMap((name) => [Number(name), ...descendantsOf(Number(name))]);
}

/** Tells whether a process is one of Pulumi's dynamic providers. */
export function isProvider(pid: number): boolean {
  return readProcess(pid, "cmdline").includes("dynamic-provider");
}

/** Tells whether a process still runs. */
export function isAlive(pid: number): boolean {
  return /^State:\s*[^Z]/m.test(readProcess(pid, "status"));
}

/** Ends a process, if it has not ended by itself. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}

/** Environment of a run whose provider processes note in a folder that they have loaded this package. */
export function notingEnvironment(notes: string): Record<string, string> {
  return { CHAOS_NOTES: notes, NODE_OPTIONS: `--require ${JSON.stringify(join(__dirname, "note-loading.cjs"))}` };
}

/** Tells whether a provider process has loaded this package; before that nothing of ours runs in it. */
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
