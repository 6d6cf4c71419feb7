/** Shortest search for a session whose create may have worked, in milliseconds. */
const shortestSearchMs = 60_000;
/** Longest such search, in milliseconds. It is longer than the shortest if AGB was slow to list labels before. */
const longestSearchMs = 300_000;

/** A search takes this many times the longest lag that was seen. */
const lagFactor = 4;

/**
 * How long AGB takes until a new session can be listed by its labels, as seen by this process. AGB does not document it;
 * the list test of its Python SDK waits 5 seconds first.
 */
export class LabelLag {
  private longestMs = 0;

  /** Records that a session could first be listed this many milliseconds after its create was sent. */
  note(lagMs: number): void {
    this.longestMs = Math.max(this.longestMs, lagMs);
  }

  /** Returns how long to search before a session counts as not created, in milliseconds: 4 times the lag, 60 s to 300 s. */
  searchMs(): number {
    return Math.min(Math.max(shortestSearchMs, lagFactor * this.longestMs), longestSearchMs);
  }
}
