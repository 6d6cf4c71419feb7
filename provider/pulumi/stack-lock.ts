import { hostname } from "node:os";
import { isProcessAlive } from "./process-facts";

/** Stands for a holder that the backend does not name. */
export const unknownHolder = "another run";

/**
 * Finds out whether a command failed because the stack is locked, and by whom: backends in files and buckets name the
 * locks, Pulumi Cloud answers no more than that there is a conflict.
 *
 * @param stderr what the command printed as its errors
 * @returns a few words on each holder, the same ones as long as it holds the lock; none when the stack is not locked
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
 * Whether one process of this machine is the only one that holds the lock of a stack.
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
 * Whether all that hold a lock are processes of this machine that live no more. Only backends in folders can tell: machines
 * that share a bucket may have the same name.
 *
 * @param stderr what the command that was refused printed as its errors
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
