/**
 * What all operations on contexts in a process share: which resource owns which context, and one operation per name at a
 * time. AGB's create does not say whether it created or found the context, and contexts have no labels that name an owner.
 * Without this, two creates of one name would both claim the context, and one resource would delete what another adopted.
 */
export class ContextsInUse {
  private readonly owners = new Map<string, string | undefined>();
  private readonly last = new Map<string, Promise<unknown>>();

  /**
   * Whether another resource of this process owns the context: one that the program declares, or that created, took over or
   * renamed it in this run.
   *
   * @param owner name of the resource that asks; if `undefined`, every owner is another
   */
  belongsToAnother(contextId: string, owner: string | undefined): boolean {
    return this.owners.has(contextId) && (owner === undefined || this.owners.get(contextId) !== owner);
  }

  /** Records which resource owns a context. A recorded owner stays. */
  add(contextId: string, owner: string | undefined): void {
    if (!this.owners.has(contextId)) {
      this.owners.set(contextId, owner);
    }
  }

  /** Runs work on a name after all earlier work on that name has finished, also across accounts. */
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
