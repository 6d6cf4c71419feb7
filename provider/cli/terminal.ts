// What the commands know of the terminal that they write to.

import { readColorChoice } from "./environment";

type Style = "bold" | "dim" | "green" | "yellow";

const codes: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  green: [32, 39],
  yellow: [33, 39],
};

/** Styles a string for a stream: with colours on a terminal, unchanged elsewhere. See `readColorChoice`. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  if (text === "" || !(readColorChoice() ?? stream.isTTY === true)) {
    return text;
  }
  const [on, off] = codes[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** Columns of the terminal that standard output is; infinite when it is none. */
export function terminalWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;
}

/**
 * Calls back once when standard output cannot be written any more. Messages are lost when nobody reads standard error.
 *
 * @param onEnd `error` is `undefined` when the reader stopped reading, as `head` does
 */
export function watchOutput(onEnd: (error: Error | undefined) => void): void {
  let isOver = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (!isOver) {
      isOver = true;
      onEnd(error.code === "EPIPE" ? undefined : error);
    }
  });
  process.stderr.on("error", () => {});
}

/** Shows on one line of a terminal how far something is. Shows nothing where standard error is no terminal. */
export class ProgressLine {
  #shown = "";

  show(text: string): void {
    if (process.stderr.isTTY && text !== this.#shown) {
      this.#shown = text;
      process.stderr.write(`\r\u001b[K${text}`);
    }
  }

  clear(): void {
    if (this.#shown !== "") {
      this.#shown = "";
      process.stderr.write("\r\u001b[K");
    }
  }
}
