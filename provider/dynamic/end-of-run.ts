import { fstatSync } from "node:fs";

/**
 * Calls back once when the run ends before its time: the engine died, so that the standard input that it held open
 * ends, or the engine asked the process to stop. Without this the process would live on after its engine was killed.
 *
 * @param onEnd what to do first; the process ends when it is done
 */
export function endWithRun(onEnd: () => Promise<void>): void {
  let ending = false;
  const end = () => {
    if (ending) {
      return;
    }
    ending = true;
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
