import { readFileSync } from "node:fs";

/**
 * When a process started, in the system's own count. This tells it from a later process with the same id. `undefined`
 * when there is no such process, or when the system does not say (Linux does).
 */
export function startTimeOf(pid: number): string | undefined {
  return readStat(pid)?.startTime;
}

/** Whether a process is running. A zombie is not: it has ended, and its parent has not noticed. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // This process may not signal one of another user, which exists all the same.
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
