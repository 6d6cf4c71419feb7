/**
 * What all context creates of a process share: which contexts have an owner, and that one name is handled at a time. AGB
 * cannot tell "made" from "found", so of two creates of one name both would believe that they made the context.
 */
export class ContextsInUse {
  private readonly contextIds = new Set<string>();
  private readonly last = new Map<string, Promise<unknown>>();

  /** Whether this process made the context or took it over. */
  has(contextId: string): boolean {
    return this.contextIds.has(contextId);
  }

  /** Notes that a context has an owner. */
  add(contextId: string): void {
    this.contextIds.add(contextId);
  }

  /** Does something with a name, after everything that was begun with it before. Accounts are not told apart. */
  async oneAtATime<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const key = name.trim();
    const before = this.last.get(key) ?? Promise.resolve();
    const outcome = before.then(work);
    const settled = outcome.catch(() => {});
    this.last.set(key, settled);
    try {
      return await outcome;
    } finally {
      if (this.last.get(key) === settled) {
        this.last.delete(key);
      }
    }
  }
}
