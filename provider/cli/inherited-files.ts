import { closeSync, readdirSync, readFileSync } from "node:fs";

/** O_CLOEXEC on Linux. Node sets it on all files that it opens itself. */
const closeOnExec = 0o2000000;

/**
 * Closes the open files that this process inherited from its parent and would pass on to its children. Standard input,
 * output and error stay open, and so does the channel to a parent that is Node. Does nothing if there is no /proc.
 */
export function closeInheritedFiles(): void {
  const channel = parentChannel();
  for (const file of openFiles()) {
    if (file > 2 && file !== channel && isPassedOn(file)) {
      try {
        closeSync(file);
      } catch {
        // It is already closed, like the one that read the list.
      }
    }
  }
}

function openFiles(): number[] {
  try {
    return readdirSync("/proc/self/fd").map(Number);
  } catch {
    return [];
  }
}

function isPassedOn(file: number): boolean {
  try {
    const [, flags] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${file}`, "utf8")) ?? [];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    return false;
  }
}

// Node removes the variable from process.env, but not from what the system keeps.
function parentChannel(): number | undefined {
  if (process.channel === undefined) {
    return undefined;
  }
  const [, channel] = /(?:^|\0)NODE_CHANNEL_FD=(\d+)/.exec(readFileSync("/proc/self/environ", "latin1")) ?? [];
  return channel === undefined ? undefined : Number(channel);
}
