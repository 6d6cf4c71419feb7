import { Option } from "commander";
import { parseDurationMs } from "./duration";

/** Exit code that says that something is left that should be gone. */
export const somethingLeft = 2;

const defaultMinimumAgeMs = 10 * 60_000;

/** The option `--older-than` of commands that release sessions which no state knows. */
export function olderThanOption(description: string): Option {
  return new Option("--older-than <duration>", description)
    .argParser(parseDurationMs)
    .default(defaultMinimumAgeMs, "10m");
}
