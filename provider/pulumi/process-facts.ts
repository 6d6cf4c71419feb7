import { readFileSync } from "node:fs";

/**
 * When a process started, as the system counts it: what tells it from a later one with the same id. `undefined` when there
 * is no such process, or where the system does not tell (it does on Linux).
 */
export function startTimeOf(pid: number): string | undefined {
  return readStat(pid)?.startTime;
}

/** Whether a process runs; one that ended and that nobody has taken note of does not. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // The process of another user may not be signalled, but it is there.
    return (error as { code?: unknown }).code === "EPERM";
  }
  return readStat(pid)?.state !== "Z";
}

/** The fields of /proc/PID/stat; its second one is the program's name in parentheses and may hold anything. */
function readStat(
  pid: number,
): { readonly state: string | undefined; readonly startTime: string | undefined } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...others] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state, startTime: others[18] };
  } catch {
    return undefined;
  }
}
