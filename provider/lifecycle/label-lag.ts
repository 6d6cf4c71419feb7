/** Shortest and longest search for a session whose create may have worked, in milliseconds. */
const shortestSearchMs = 60_000;
const longestSearchMs = 300_000;

/** How many times the longest lag that was seen a search takes. */
const lagFactor = 4;

/**
 * How long AGB takes until a new session can be listed by its labels, as far as this process has had to find out. AGB
 * documents nothing about it; the list test of its Python SDK waits 5 seconds first.
 */
export class LabelLag {
  private longestMs = 0;

  /** Notes that a session could be listed this many milliseconds after its create was sent, and not before. */
  note(lagMs: number): void {
    this.longestMs = Math.max(this.longestMs, lagMs);
  }

  /** How long to search before a session counts as not made, in milliseconds: 4 times the lag, from 60 s to 300 s. */
  searchMs(): number {
    return Math.min(Math.max(shortestSearchMs, lagFactor * this.longestMs), longestSearchMs);
  }
}
