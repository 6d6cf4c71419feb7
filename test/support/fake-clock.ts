import type { Clock } from "../../provider/lifecycle/wait";

/** A clock that moves only when someone sleeps by it or a test moves it, so that no test waits. */
export class FakeClock implements Clock {
  /** How long each sleep was, in milliseconds. */
  readonly sleeps: number[] = [];
  private readonly startMs: number;

  constructor(private nowMs: number = Date.UTC(2026, 10, 22, 16, 47, 26)) {
    this.startMs = nowMs;
  }

  now(): number {
    return this.nowMs;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.sleeps.push(milliseconds);
    this.advance(milliseconds);
  }

  advance(milliseconds: number): void {
    this.nowMs += milliseconds;
  }

  /** Milliseconds since the clock was made. */
  elapsedMs(): number {
    return this.nowMs - this.startMs;
  }
}
