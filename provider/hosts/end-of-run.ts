import { fstatSync } from "node:fs";

/**
 * Ends the process when the run ends early: the engine died, which ends the standard input that it held open, or the engine
 * asked the process to stop. Without this the process would outlive an engine that was killed.
 *
 * @param onEnd called first; the process ends when it is done
 * @param limitMs the process ends after this time even if `onEnd` is not done
 */
export function endWithRun(onEnd: () => Promise<void>, limitMs: number): void {
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
  // Without a pipe the input ends immediately, which says nothing of an engine.
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
