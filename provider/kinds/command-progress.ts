import type { OutputName } from "../lifecycle/command-run";
import type { Clock } from "../lifecycle/wait";

/** How output is shown while a command runs. */
export interface ProgressOptions {
  /** Outputs to show. */
  readonly shown: readonly OutputName[];
  readonly clock: Clock;
  /** Makes a line safe to print. */
  clean(line: string, longest: number): string;
  say(line: string): void;
}

/** So many lines may come together. Then the rest is left out, at more than so many lines per second. */
const mostLines = 200;
const linesPerSecond = 20;

/** Longest line that is shown, in characters. */
const longestLine = 1_000;

/** A line without an end is shown when it has this many characters, so that a command cannot fill the memory. */
const longestPending = 16_384;

/** Shows the output of a command line by line. Leaves out lines when there are too many, and says so. */
export class CommandProgress {
  private readonly decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  private readonly pending = { stdout: "", stderr: "" };
  private allowance = mostLines;
  private refilledMs: number;
  private leftOutLines = 0;
  private leftOutBytes = 0;

  constructor(private readonly options: ProgressOptions) {
    this.refilledMs = options.clock.elapsedMs();
  }

  /** Takes new output. */
  add(name: OutputName, bytes: Buffer): void {
    if (!this.options.shown.includes(name)) {
      return;
    }
    // A carriage return alone redraws a line, as progress bars do.
    const lines = (this.pending[name] + this.decoders[name].decode(bytes, { stream: true })).split(/\r\n|[\n\r](?!\n)/);
    const last = lines.pop() ?? "";
    for (const line of lines) {
      this.show(line);
    }
    if (last.length > longestPending) {
      this.show(last);
    }
    this.pending[name] = last.length > longestPending ? "" : last;
  }

  /** Takes note of output that was not read. */
  skip(name: OutputName, bytes: number): void {
    if (this.options.shown.includes(name)) {
      this.leftOutBytes += bytes;
      this.pending[name] = "";
    }
  }

  /** Shows the last lines, which may have no end. */
  finish(): void {
    for (const name of this.options.shown) {
      if (this.pending[name] !== "") {
        this.show(this.pending[name]);
        this.pending[name] = "";
      }
    }
    this.tellLeftOut();
  }

  private show(line: string): void {
    if (line.trim() === "") {
      return;
    }
    const { clock, clean, say } = this.options;
    const nowMs = clock.elapsedMs();
    const refill = ((nowMs - this.refilledMs) / 1_000) * linesPerSecond;
    this.allowance = Math.min(mostLines, this.allowance + refill);
    this.refilledMs = nowMs;
    if (this.allowance < 1) {
      this.leftOutLines += 1;
      return;
    }
    this.tellLeftOut();
    this.allowance -= 1;
    say(clean(line, longestLine));
  }

  private tellLeftOut(): void {
    const parts = [
      this.leftOutLines > 0 && `${this.leftOutLines} lines`,
      this.leftOutBytes > 0 && `${this.leftOutBytes} bytes`,
    ].filter(Boolean);
    if (parts.length > 0) {
      this.options.say(`(${parts.join(" and ")} of output are not shown)`);
      this.leftOutLines = 0;
      this.leftOutBytes = 0;
    }
  }
}
