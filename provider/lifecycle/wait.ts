import { setTimeout as sleepFor } from "node:timers/promises";

/** Time, so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after the time, or earlier when the signal is aborted. */
  sleep(milliseconds: number, wake?: AbortSignal): Promise<void>;
}

/** The machine's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (milliseconds, wake) => {
    await sleepFor(milliseconds, undefined, wake && { signal: wake }).catch((error: unknown) => {
      if (!wake?.aborted) {
        throw error;
      }
    });
  },
};

/** How to look again and again. */
export interface Patience {
  /** When to give up, in milliseconds from now. */
  readonly timeoutMs: number;
  /** Delay after the first look, in milliseconds; it grows by half each time. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

/**
 * Looks at once, then after growing delays, until the look says `true`.
 *
 * @returns `false` when the time ran out first; the last look is then made at its end
 */
export async function waitUntil(look: () => Promise<boolean>, patience: Patience, clock: Clock): Promise<boolean> {
  const deadline = clock.now() + patience.timeoutMs;
  for (let delayMs = patience.firstDelayMs; ; delayMs = Math.min(delayMs * 1.5, patience.longestDelayMs)) {
    if (await look()) {
      return true;
    }
    const leftMs = deadline - clock.now();
    if (leftMs <= 0) {
      return false;
    }
    await clock.sleep(Math.min(delayMs, leftMs));
  }
}
