// One emulator per state file: two would overwrite each other's sessions. The lock is a file next to the state file that
// names the process. A killed process leaves its lock behind, so a lock whose process has ended is taken over. The file
// appears with its whole content or not at all, also on a full disk. An empty one can only be from a program that was
// stopped while it wrote, so it is taken over too.

import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { EmulatorStartError } from "../start-error";

const lockSchema = z.object({ pid: z.int().positive(), processStart: z.string().optional() });
type Lock = z.infer<typeof lockSchema>;

/**
 * Takes the lock of a state file.
 *
 * @returns a function that releases it
 * @throws EmulatorStartError with code STATE_FILE_IN_USE while another emulator holds it
 */
export function lockStateFile(statePath: string): () => void {
  const lockPath = `${statePath}.lock`;
  const processStart = kernelView(process.pid)?.start;
  const text = JSON.stringify({ pid: process.pid, ...(processStart !== undefined && { processStart }) });
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (createExclusively(lockPath, text)) {
      return () => {
        if (readIfThere(lockPath) === text) {
          unlinkSync(lockPath);
        }
      };
    }
    const found = readIfThere(lockPath);
    if (found === undefined) {
      continue;
    }
    const holder = parseLock(found);
    if (holder === undefined && found !== "") {
      throw new EmulatorStartError(
        "STATE_FILE_IN_USE",
        `The state file ${statePath} is locked by ${lockPath}, which names no process. If no emulator uses the state file, delete the lock file.`,
      );
    }
    if (holder !== undefined && isRunning(holder)) {
      throw new EmulatorStartError(
        "STATE_FILE_IN_USE",
        `The state file ${statePath} is in use by another emulator, process ${holder.pid}. Stop that emulator, or choose another state file.`,
      );
    }
    discardStaleLock(lockPath, found);
  }
  throw new EmulatorStartError(
    "STATE_FILE_IN_USE",
    `The state file ${statePath} is in use by another emulator. Stop that emulator, or choose another state file.`,
  );
}

function createExclusively(path: string, text: string): boolean {
  const wholePath = `${path}.${process.pid}.new`;
  try {
    writeFileSync(wholePath, text, { mode: 0o600 });
    try {
      linkSync(wholePath, path);
    } catch (error) {
      if (!withoutLinks.includes((error as NodeJS.ErrnoException).code ?? "")) {
        throw error;
      }
      writeFileSync(path, text, { flag: "wx", mode: 0o600 });
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      return false;
    }
    throw error;
  } finally {
    rmSync(wholePath, { force: true });
  }
}

// The errors of file systems without hard links.
const withoutLinks = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

// Moves the lock aside before deleting it. Another emulator that is starting may have replaced it. Deleting it by name
// would then delete that emulator's lock. A lock that turns out not to be the stale one is put back.
function discardStaleLock(lockPath: string, stale: string): void {
  const asidePath = `${lockPath}.${process.pid}`;
  try {
    renameSync(lockPath, asidePath);
  } catch {
    return;
  }
  const moved = readIfThere(asidePath);
  if (moved !== undefined && moved !== stale) {
    createExclusively(lockPath, moved);
  }
  unlinkSync(asidePath);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function parseLock(text: string): Lock | undefined {
  try {
    return lockSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function isRunning(holder: Lock): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: the process exists but belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") {
      return false;
    }
  }
  const found = kernelView(holder.pid);
  if (found === undefined) {
    return true;
  }
  // A killed process keeps its number until its parent asks for the exit code. In a container that may be never.
  if (found.state === "Z" || found.state === "X") {
    return false;
  }
  // A container gives its processes the same small numbers after every restart, so the number alone proves nothing.
  return holder.processStart === undefined || holder.processStart === found.start;
}

/** A process's state letter and its start in ticks since boot; undefined where there is no /proc. */
function kernelView(pid: number): { state: string | undefined; start: string | undefined } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The process name, in parentheses, may contain spaces and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0], start: fields[19] };
  } catch {
    return undefined;
  }
}
