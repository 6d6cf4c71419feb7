import { mkdir, rename, rm, rmdir, stat, utimes } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

const pollIntervalMs = 250;
const heartbeatIntervalMs = 5_000;
const staleAfterMs = 30_000;

/** How to wait for a lock. */
export interface InstallLockOptions {
  /** Called once if another process has the lock. */
  onWait: () => void;
  /** Stops waiting when aborted. */
  signal?: AbortSignal;
}

/**
 * Runs `work` while holding a lock on this machine: a folder at `path`. A killed process's lock is taken over after 30
 * seconds. The lock only avoids a second long build, so `work` must also be correct if two processes run it.
 */
export async function withInstallLock<T>(
  path: string,
  options: InstallLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  let waiting = false;
  while (!(await tryLock(path))) {
    if (!waiting) {
      waiting = true;
      options.onWait();
    }
    await delay(pollIntervalMs, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, heartbeatIntervalMs);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rmdir(path).catch(() => {});
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
  }
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
  if (Date.now() - mtimeMs > staleAfterMs) {
    // Renamed before removal, so that only one of several waiting processes removes it.
    const abandoned = `${path}-abandoned-${process.pid}`;
    await rename(path, abandoned).then(
      () => rm(abandoned, { recursive: true, force: true }),
      () => {},
    );
  }
  return false;
}
