import type { Run } from "./screen";

/** A line of the terminal, and when it looked like this. Lines are counted from 0, from the start of the recording. */
export interface LineVersion {
  readonly line: number;
  readonly runs: readonly Run[];
  readonly startMs: number;
  /** When it changed or was erased. Not set: it stays until the end. */
  readonly endMs?: number;
}

/** From `startMs` on, this is the first line in the window. */
export interface Scroll {
  readonly startMs: number;
  readonly firstLine: number;
}

/** What a terminal showed, and when. */
export interface Film {
  readonly versions: readonly LineVersion[];
  readonly scrolls: readonly Scroll[];
  readonly durationMs: number;
}

/** Collects what a terminal shows. Time passes only in `show` and `wait`. */
export class Recorder {
  private readonly finished: LineVersion[] = [];
  private current: (LineVersion | undefined)[] = [];
  private readonly scrolls: Scroll[] = [{ startMs: 0, firstLine: 0 }];
  private nowMs = 0;

  /** @param rows the height of the window in lines */
  constructor(private readonly rows: number) {}

  /** Shows these lines, `afterMs` after the ones before. */
  show(lines: readonly (readonly Run[])[], afterMs: number): void {
    this.nowMs += afterMs;
    const count = Math.max(lines.length, this.current.length);
    this.current = Array.from({ length: count }, (_, line) => this.replace(line, lines[line] ?? []));
    const firstLine = Math.max(0, lines.length - this.rows);
    if (firstLine !== this.scrolls.at(-1)?.firstLine) {
      this.scrolls.push({ startMs: this.nowMs, firstLine });
    }
  }

  /** Keeps what is shown for a while. */
  wait(ms: number): void {
    this.nowMs += ms;
  }

  /** Ends the recording. */
  finish(): Film {
    const staying = this.current.filter((version) => version !== undefined);
    return { versions: [...this.finished, ...staying], scrolls: this.scrolls, durationMs: this.nowMs };
  }

  private replace(line: number, runs: readonly Run[]): LineVersion | undefined {
    const old = this.current[line];
    if (JSON.stringify(old?.runs ?? []) === JSON.stringify(runs)) {
      return old;
    }
    if (old !== undefined && old.startMs < this.nowMs) {
      this.finished.push({ ...old, endMs: this.nowMs });
    }
    return runs.length === 0 ? undefined : { line, runs, startMs: this.nowMs };
  }
}
