import type { Clock } from "../../provider/lifecycle/wait";

/** A clock that moves only when someone sleeps by it or a test moves it, so that no test waits. */
export class FakeClock implements Clock {
  /** How long each sleep was, in milliseconds. */
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

  /** Sets the wall clock back, as an administrator does; no time passes. */
  setBack(milliseconds: number): void {
    this.nowMs -= milliseconds;
  }

  /** Milliseconds that passed since the clock was made. */
  elapsedMs(): number {
    return this.passedMs;
  }
}
