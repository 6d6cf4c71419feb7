import { type Command, Option } from "commander";
import { note } from "./agb-access";

/** How many entries a list shows without `--all`. */
export const shownAtFirst = 50;

/** How much of a list to show, and how. */
export interface ListShape {
  readonly all?: true;
  readonly output: "table" | "json" | "ids";
}

/** Adds the options of a list, see `ListShape`. */
export function addListOptions(command: Command, noun: string): Command {
  return command
    .option("--all", `list every ${noun} (default: the first ${shownAtFirst} that AGB lists)`)
    .addOption(
      new Option("--output <format>", "table, JSON, or only the ids, one per line")
        .choices(["table", "json", "ids"])
        .default("table"),
    );
}

/**
 * Says on standard error that nothing matched, or that there is more than is shown.
 *
 * @param left how many more there are; `undefined` when there are some but AGB does not say how many
 * @param filter the options of the filter; empty without one
 */
export function noteRest(shown: number, left: number | undefined, noun: string, filter = ""): void {
  if (shown === 0) {
    note(filter === "" ? `note: There are no ${noun}s.` : `note: No ${noun} matches ${filter}.`);
  } else if (left === undefined) {
    note(`note: These are the first ${shown} ${noun}s. Add --all to list every one.`);
  } else if (left > 0) {
    note(`note: These are ${shown} of ${shown + left} ${noun}s. Add --all to list every one.`);
  }
}
