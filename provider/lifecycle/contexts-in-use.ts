/**
 * What all operations on contexts in a process share: which resource owns which context, and that one name is handled at a
 * time. AGB cannot tell "created" from "found" and contexts carry no mark of an owner. So of two creates of one name both
 * would believe that they created the context, and a resource would delete what another one has taken over.
 */
export class ContextsInUse {
  private readonly owners = new Map<string, string | undefined>();
  private readonly last = new Map<string, Promise<unknown>>();

  /**
   * Whether another resource of this process owns the context: one that the program declares, or that created, took over or
   * renamed it in this run.
   *
   * @param owner name of the resource that asks; without one every owner is another
   */
  belongsToAnother(contextId: string, owner: string | undefined): boolean {
    return this.owners.has(contextId) && (owner === undefined || this.owners.get(contextId) !== owner);
  }

  /** Notes which resource owns a context. The first one keeps it, unless it is taken over. */
  add(contextId: string, owner: string | undefined): void {
    if (!this.owners.has(contextId)) {
      this.owners.set(contextId, owner);
    }
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
