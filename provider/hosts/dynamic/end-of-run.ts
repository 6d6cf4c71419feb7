import { fstatSync } from "node:fs";

/**
 * How long the process lives on at most once the run has ended, in milliseconds. AGB answers a create and a release within
 * seconds, on a busy machine too; what could not be released by then carries the labels by which the sweep finds it.
 */
export const endingLimitMs = 20_000;

/**
 * Ends the process when the run ends before its time: the engine died, so that the standard input that it held open
 * ends, or the engine asked the process to stop. Without this the process would live on after its engine was killed.
 *
 * @param onEnd what to do first; the process ends when it is done
 * @param limitMs the process ends after this time even if it is not
 */
export function endWithRun(onEnd: () => Promise<void>, limitMs = endingLimitMs): void {
  let ending = false;
  const end = () => {
    if (ending) {
      return;
    }
    ending = true;
    setTimeout(() => process.exit(1), limitMs);
    void onEnd().finally(() => process.exit(1));
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
  // A process that was started without a pipe has an input that ends at once and says nothing of an engine.
  if (isPipe()) {
    process.stdin.once("end", end);
    process.stdin.once("error", end);
    process.stdin.resume();
    process.stdin.unref();
  }
}

function isPipe(): boolean {
  try {
    const input = fstatSync(0);
    return input.isFIFO() || input.isSocket();
  } catch {
    return false;
  }
}
