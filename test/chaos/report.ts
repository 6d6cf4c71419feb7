/** What became of the kills of one kind. */
export interface Tally {
  runs: number;
  made: number;
  /** Sessions that were in the state, or back in it, after the run that followed. */
  recovered: number;
  /** Sessions that only the sweep found. */
  swept: number;
  lost: number;
  /** Provider processes that outlived their engine although they had loaded this package. */
  leftover: number;
  /** Provider processes that were left before Pulumi had them load this package; nothing of ours runs in them yet. */
  unloaded: number;
  /** Files of Pulumi's own that the kill left empty and that were removed as a user must do. */
  torn: number;
}

/** A tally of nothing. */
export function emptyTally(): Tally {
  return { runs: 0, made: 0, recovered: 0, swept: 0, lost: 0, leftover: 0, unloaded: 0, torn: 0 };
}

/** Prints a table of all kinds of kills and what they add up to, and returns the sum. */
export function printTallies(tallies: ReadonlyMap<string, Tally>): Tally {
  const total = emptyTally();
  for (const tally of tallies.values()) {
    for (const field of Object.keys(total) as (keyof Tally)[]) {
      total[field] += tally[field];
    }
  }
  console.table(Object.fromEntries([...tallies, ["total", total]]));
  return total;
}
