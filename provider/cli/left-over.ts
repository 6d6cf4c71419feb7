import { Option } from "commander";
import { parseDurationMs } from "./duration";

/** Exit code that says that something is left that should be gone. */
export const somethingLeft = 2;

const defaultMinimumAgeMs = 10 * 60_000;

/** The option `--include-unidentified` of commands that release sessions which no state knows. */
export function includeUnidentifiedOption(): Option {
  return new Option(
    "--include-unidentified",
    "also release sessions with the names of the stack but without a stack id, which an earlier version created; " +
      "another backend's stack of the same name may own them",
  ).default(false);
}

/** The option `--older-than` of commands that release sessions which no state knows. */
export function olderThanOption(description: string): Option {
  return new Option("--older-than <duration>", description)
    .argParser(parseDurationMs)
    .default(defaultMinimumAgeMs, "10m");
}
