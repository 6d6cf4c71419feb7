import { Option } from "commander";
import { parseDurationMs } from "./duration";

/** Exit code when something is left that should be gone. */
export const somethingLeft = 2;

const defaultMinimumAgeMs = 10 * 60_000;

/** The option `--include-unidentified` of commands that release sessions that no state knows. */
export function includeUnidentifiedOption(): Option {
  return new Option(
    "--include-unidentified",
    "also release sessions that carry the stack's name but no stack id; an earlier version created them, or a stack of the " +
      "same name in another backend did",
  ).default(false);
}

/** The option `--older-than` of commands that release sessions that no state knows. */
export function olderThanOption(description: string): Option {
  return new Option("--older-than <duration>", description)
    .argParser(parseDurationMs)
    .default(defaultMinimumAgeMs, "10m");
}
