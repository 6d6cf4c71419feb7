import { mkdir, rename, rm, rmdir, stat, utimes } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

const pollIntervalMs = 250;
const heartbeatIntervalMs = 5_000;
const staleAfterMs = 30_000;

/** How a lock is waited for. */
export interface InstallLockOptions {
  /** Called once when another process has the lock. */
  onWait: () => void;
  /** Ends the waiting when aborted. */
  signal?: AbortSignal;
}

/**
 * Runs `work` while no other process on this machine does so with the same lock, a folder at `path`. The lock of a process that was killed is
 * taken over after 30 seconds. It saves a second long build and no more: the result of two at once must be right, too.
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
    // Renamed before it is removed, so that of several waiting processes only one removes it.
    const abandoned = `${path}-abandoned-${process.pid}`;
    await rename(path, abandoned).then(
      () => rm(abandoned, { recursive: true, force: true }),
      () => {},
    );
  }
  return false;
}
