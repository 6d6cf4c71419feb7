import type { Clock } from "./clock";

/** At most so many requests in a second; what was not used of the last second may be used at once. */
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

  /** Takes one request's place. @returns 0, or after how many seconds there will be one, rounded up */
  take(): number {
    if (this.perSecond === undefined) {
      return 0;
    }
    const nowMs = this.clock.now();
    // A clock that was set back must not take places away.
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
