/** Where the emulator reads the time. Life-cycle rules compare with it whenever a session is looked at; no timer ends one. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
}

// The end of the range of JavaScript's Date.
const lastDateMs = 8.64e15;

/** The computer's own clock; the default. */
export const systemClock: Clock = { now: () => Date.now() };

/** A clock that runs as its source does and can be moved ahead. */
export class AdvanceableClock implements Clock {
  #offsetMs = 0;

  constructor(private readonly source: Clock) {}

  now(): number {
    return this.source.now() + this.#offsetMs;
  }

  /** Milliseconds by which this clock is ahead of its source. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** @throws RangeError when it is negative or not a number, or would leave the range of dates */
  set offsetMs(ms: number) {
    if (!(ms >= 0 && this.source.now() + ms <= lastDateMs)) {
      throw new RangeError(`a clock cannot be ${ms} ms ahead`);
    }
    this.#offsetMs = ms;
  }
}

/** A clock that stands still until it is moved. With it a test lets hours pass without waiting. */
export class ManualClock implements Clock {
  #nowMs: number;

  /** @param startMs milliseconds since 1970-01-01 UTC. @default 2026-01-01T00:00:00Z */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /**
   * Moves the clock forward.
   *
   * @param ms milliseconds, not negative
   * @throws RangeError when `ms` is negative or not a number
   */
  advance(ms: number): void {
    if (!(ms >= 0)) {
      throw new RangeError(`ManualClock.advance: ms must be a number >= 0, not ${ms}`);
    }
    this.#nowMs += ms;
  }
}
