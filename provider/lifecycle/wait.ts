import { setTimeout as sleepFor } from "node:timers/promises";

/** A source of time. Tests replace it. */
export interface Clock {
  /** Returns milliseconds since 1970, for times that others read. Jumps when someone sets the clock. */
  now(): number;
  /** Returns milliseconds since a fixed moment, for limits and delays. Never goes back, even if someone sets the clock. */
  elapsedMs(): number;
  /** Resolves after the time, or as soon as the signal is aborted. */
  sleep(milliseconds: number, wake?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
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
  /** How long to look, in milliseconds. */
  readonly timeoutMs: number;
  /** Delay after the first look, in milliseconds. It grows by half each time. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

/**
 * Looks immediately and then after growing delays, until `look` returns `true`.
 *
 * @returns `false` if the time ran out first; the last look is at its end
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
