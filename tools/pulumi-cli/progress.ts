const intervalMs = 10_000;
const intervalOnTerminalMs = 1_000;

/** A progress display. */
export interface Progress {
  /** Sets the text after the title, such as `412 packages`. */
  update(detail: string): void;
  /** Ends the display. Call it once. */
  stop(): void;
}

/**
 * Shows the progress and elapsed time of a long task. On a terminal, updates one line of standard error each second.
 * Otherwise reports a line every 10 seconds.
 */
export function startProgress(title: string, report: (line: string) => void): Progress {
  const startedAt = Date.now();
  const onTerminal = process.stderr.isTTY === true;
  let detail = "";
  const timer = setInterval(
    () => {
      const line = `  ${title}: ${detail === "" ? "" : `${detail}, `}${formatElapsed(Date.now() - startedAt)}`;
      if (onTerminal) {
        process.stderr.write(`\r\u001b[K${line}`);
      } else {
        report(line);
      }
    },
    onTerminal ? intervalOnTerminalMs : intervalMs,
  );
  timer.unref();
  return {
    update(newDetail) {
      detail = newDetail;
    },
    stop() {
      clearInterval(timer);
      if (onTerminal) {
        process.stderr.write("\r\u001b[K");
      }
    },
  };
}

/** Formats a duration given in milliseconds, such as `45 s` or `3 min 5 s`. */
export function formatElapsed(elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
