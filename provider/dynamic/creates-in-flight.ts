import { setMaxListeners } from "node:events";

/** A create whose result nobody will write into a state any more: what it made, if anything, was released again. */
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
  private readonly end = new AbortController();

  constructor() {
    // Every create that waits listens to it; above ten Node warns of a leak.
    setMaxListeners(0, this.end.signal);
  }

  /** Aborted when the run has ended. */
  get ended(): AbortSignal {
    return this.end.signal;
  }

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

  /** Releases all that is under way as soon as it is made; resolves when that is done, and never rejects. */
  async abandon(): Promise<void> {
    this.end.abort();
    await Promise.allSettled(this.pending);
  }

  private async makeOrUndo<Made>(make: () => Promise<Made>, undo: (made: Made) => Promise<void>): Promise<Made> {
    if (this.ended.aborted) {
      throw new AbandonedCreateError();
    }
    const made = await make();
    if (!this.ended.aborted) {
      return made;
    }
    await undo(made);
    throw new AbandonedCreateError();
  }
}
