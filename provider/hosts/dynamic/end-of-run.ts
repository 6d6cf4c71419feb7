import { fstatSync } from "node:fs";

/**
 * How long the process may continue after the run has ended, in milliseconds. AGB answers a create and a release within
 * seconds, even on a busy machine. A session that was not released by then carries labels, so the sweep finds it.
 */
export const endingLimitMs = 20_000;

/**
 * Ends the process when the run ends early: the engine died, which ends the standard input that it held open, or it asked
 * the process to stop. Without this the process would keep running after its engine was killed.
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
  // Without a pipe, standard input ends immediately and says nothing about the engine.
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
