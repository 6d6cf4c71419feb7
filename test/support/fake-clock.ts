import type { Clock } from "../../provider/lifecycle/wait";

/** A clock that moves only when code sleeps or a test advances it, so that no test waits. */
export class FakeClock implements Clock {
  /** The length of each sleep, in milliseconds. */
  readonly sleeps: number[] = [];
  private passedMs = 0;

  constructor(private nowMs: number = Date.UTC(2026, 10, 22, 16, 47, 26)) {}

  now(): number {
    return this.nowMs;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.sleeps.push(milliseconds);
    this.advance(milliseconds);
  }

  advance(milliseconds: number): void {
    this.nowMs += milliseconds;
    this.passedMs += milliseconds;
  }

  /** Sets the wall clock back, as an administrator may. No time passes. */
  setBack(milliseconds: number): void {
    this.nowMs -= milliseconds;
  }

  /** Returns the milliseconds since the clock was created. */
  elapsedMs(): number {
    return this.passedMs;
  }
}
