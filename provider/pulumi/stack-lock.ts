import { hostname } from "node:os";
import { isProcessAlive } from "./process-facts";

/** Shown for a holder that the backend does not name. */
export const unknownHolder = "another run";

/**
 * Finds out whether a command failed because the stack is locked, and by whom. Backends in files and buckets name the
 * locks. Pulumi Cloud only says that there is a conflict.
 *
 * @param stderr the command's standard error
 * @returns one description of each holder, which stays the same while it holds the lock; empty when the stack is not
 *   locked
 */
export function lockHolders(stderr: string): string[] {
  const start = stderr.search(
    /the stack is currently locked by|\[409\] Conflict: Another update is currently in progress/,
  );
  if (start < 0) {
    return [];
  }
  const origins = [...stderr.slice(start).matchAll(/: created by (.+)$/gm)].map(([, origin]) => `run of ${origin}`);
  return origins.length > 0 ? origins : [unknownHolder];
}

/**
 * Whether one process of this machine is the only holder of a stack's lock.
 *
 * @param holders what `lockHolders` returned
 */
export function isOnlyHolder(pid: number, holders: readonly string[]): boolean {
  return holders.every((holder) => {
    const [, host, holderPid] = /@(\S+) \(pid (\d+)\)/.exec(holder) ?? [];
    return host === hostname() && Number(holderPid) === pid;
  });
}

/**
 * Whether all holders of a lock are dead processes of this machine. Only backends in folders can tell: machines that
 * share a bucket may have the same name.
 *
 * @param stderr standard error of the command that was refused
 */
export function areHoldersDead(stderr: string): boolean {
  const lines = stderr.split("\n").filter((line) => line.includes(": created by "));
  return (
    lines.length > 0 &&
    lines.every((line) => {
      const [, host, pid] = /^\s*file:\/\/.*: created by .*@(\S+) \(pid (\d+)\)/.exec(line) ?? [];
      return host === hostname() && !isProcessAlive(Number(pid));
    })
  );
}
