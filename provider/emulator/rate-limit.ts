import type { Clock } from "./clock";

/** Allows a number of requests per second. What one second leaves unused, up to that number, can be used in a burst. */
export class RateLimit {
  #available: number;
  #asOfMs: number;

  /** @param perSecond undefined for no limit */
  constructor(
    private readonly perSecond: number | undefined,
    private readonly clock: Clock,
  ) {
    this.#available = perSecond ?? 0;
    this.#asOfMs = clock.now();
  }

  /** Counts one request. @returns 0 if it is allowed, else after how many seconds one will be, rounded up */
  take(): number {
    if (this.perSecond === undefined) {
      return 0;
    }
    const nowMs = this.clock.now();
    // A clock that was set back must not reduce what is available.
    const passedMs = Math.max(0, nowMs - this.#asOfMs);
    this.#asOfMs = nowMs;
    this.#available = Math.min(this.perSecond, this.#available + (passedMs / 1000) * this.perSecond);
    if (this.#available < 1) {
      return Math.ceil((1 - this.#available) / this.perSecond);
    }
    this.#available -= 1;
    return 0;
  }
}
