/** Counts for the kills of one kind. */
export interface Tally {
  runs: number;
  /** Sessions that ran after the kill. */
  created: number;
  /** Sessions that were in the state after the next run. */
  recovered: number;
  /** Sessions that only the sweep found. */
  swept: number;
  lost: number;
  /** Provider processes that had loaded this package and outlived their engine. */
  leftover: number;
  /** Provider processes that outlived their engine but had not loaded this package, so none of our code ran in them. */
  unloaded: number;
  /** Pulumi's files that a kill left empty. A user must remove them. */
  torn: number;
}

/** Returns a tally with zeros. */
export function emptyTally(): Tally {
  return { runs: 0, created: 0, recovered: 0, swept: 0, lost: 0, leftover: 0, unloaded: 0, torn: 0 };
}

/** Prints a table with all kinds of kills and their total. Returns the total. */
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
