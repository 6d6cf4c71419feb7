import { setTimeout as sleepFor } from "node:timers/promises";

/** Time, so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970. For times that others read; it jumps when someone sets the clock. */
  now(): number;
  /** Milliseconds since some fixed moment. For limits and delays; it only goes forward, also when someone sets the clock. */
  elapsedMs(): number;
  /** Resolves after the time, or earlier when the signal is aborted. */
  sleep(milliseconds: number, wake?: AbortSignal): Promise<void>;
}

/** The machine's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsedMs: () => performance.now(),
  sleep: async (milliseconds, wake) => {
    await sleepFor(milliseconds, undefined, wake && { signal: wake }).catch((error: unknown) => {
      if (!wake?.aborted) {
        throw error;
      }
    });
  },
};

/** How often and how long to look. */
export interface PollOptions {
  /** When to give up, in milliseconds from now. */
  readonly timeoutMs: number;
  /** Delay after the first look, in milliseconds; it grows by half each time. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

/**
 * Looks immediately, then after growing delays, until the look returns `true`.
 *
 * @returns `false` when the time ran out first; the last look is made at its end
 */
export async function waitUntil(look: () => Promise<boolean>, options: PollOptions, clock: Clock): Promise<boolean> {
  const deadlineMs = clock.elapsedMs() + options.timeoutMs;
  for (let delayMs = options.firstDelayMs; ; delayMs = Math.min(delayMs * 1.5, options.longestDelayMs)) {
    if (await look()) {
      return true;
    }
    const leftMs = deadlineMs - clock.elapsedMs();
    if (leftMs <= 0) {
      return false;
    }
    await clock.sleep(Math.min(delayMs, leftMs));
  }
}
