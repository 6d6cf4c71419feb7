import { setMaxListeners } from "node:events";
import { CleanError } from "../api/errors";

/** The run ended during the create. No state will hold what it created, so that was deleted again. */
export class AbandonedCreateError extends CleanError {
  constructor() {
    super("the run ended during the create, so the new resource was deleted again");
  }
}

/**
 * Keeps track of the creates of a process. When the run ends before they do, no state will hold what they create, and it is
 * deleted again.
 */
export class CreatesInFlight {
  private readonly pending = new Set<Promise<unknown>>();
  private readonly end = new AbortController();

  constructor() {
    // Every waiting create listens to it, and Node warns of a leak above ten listeners.
    setMaxListeners(0, this.end.signal);
  }

  /** Aborted when the run has ended. */
  get ended(): AbortSignal {
    return this.end.signal;
  }

  /**
   * Creates a resource, unless the run ends meanwhile.
   *
   * @param make creates it
   * @param undo deletes it again
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

  /** Deletes each resource that is being created as soon as it exists. Resolves when that is done; never rejects. */
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
