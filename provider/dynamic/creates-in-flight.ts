/** A create whose result nobody will write into a state any more: what it made was released again. */
export class AbandonedCreateError extends Error {
  override readonly name = "AbandonedCreateError";

  constructor() {
    super("the run ended while the session was being made; it was released again");
  }
}

/**
 * Knows the creates that are under way. When the run ends before they do, nobody will write their sessions into a
 * state, so they are released as soon as they are made.
 */
export class CreatesInFlight {
  private readonly pending = new Set<Promise<unknown>>();
  private abandoned = false;

  /**
   * Makes something, unless the run ends meanwhile.
   *
   * @param make makes it
   * @param undo releases it again
   * @throws AbandonedCreateError when the run ended
   */
  async run<Made>(make: () => Promise<Made>, undo: (made: Made) => Promise<void>): Promise<Made> {
    const outcome = this.makeOrUndo(make, undo);
    this.pending.add(outcome);
    try {
      return await outcome;
    } finally {
      this.pending.delete(outcome);
    }
  }

  /** Has all that is under way released; resolves when that is done, and never rejects. */
  async abandon(): Promise<void> {
    this.abandoned = true;
    await Promise.allSettled(this.pending);
  }

  private async makeOrUndo<Made>(make: () => Promise<Made>, undo: (made: Made) => Promise<void>): Promise<Made> {
    if (this.abandoned) {
      throw new AbandonedCreateError();
    }
    const made = await make();
    if (!this.abandoned) {
      return made;
    }
    await undo(made);
    throw new AbandonedCreateError();
  }
}
