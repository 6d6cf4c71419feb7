import { CodedError } from "../messages/coded-error";

const repeatWithinMs = 1_000;

/** Signals that ask this process to stop. */
export const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type StopSignal = (typeof stopSignals)[number];

/** This process was asked to stop. */
export class StoppedError extends CodedError {
  override readonly name = "StoppedError";

  constructor(readonly exitCode: number) {
    super("Stopped by a signal before the work was done. Run this again to finish it.", "AGB611");
  }
}

/**
 * Decides which signals to pass on to Pulumi. On the first signal Pulumi finishes the current step and saves the state.
 * On the second it drops everything. So it must get each request to stop exactly once. One request may reach this
 * process several times: a terminal or a CI system signals a whole process group, and npm passes on what it gets.
 */
export class StopRequests {
  readonly #abort = new AbortController();
  #lastPassedOnAt: number | undefined;

  /**
   * @param sharesGroup whether Pulumi runs in this process's group at a terminal, and so gets the terminal's signals
   *   itself
   * @param now the time in milliseconds
   */
  constructor(
    private readonly sharesGroup: boolean,
    private readonly now: () => number = Date.now,
  ) {}

  /** Aborted by the first request to stop, with a StoppedError as its reason. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Receives a signal. @returns the signal to pass on to Pulumi, if any */
  receive(received: StopSignal): StopSignal | undefined {
    this.#abort.abort(new StoppedError(received === "SIGINT" ? 130 : received === "SIGTERM" ? 143 : 129));
    const fromTerminal = this.sharesGroup && received !== "SIGTERM";
    const last = this.#lastPassedOnAt;
    // Only a second Ctrl-C says that the user wants Pulumi to drop everything. CI systems send SIGTERM after SIGINT to every
    // process.
    const isRepeated = last !== undefined && (received !== "SIGINT" || this.now() - last < repeatWithinMs);
    if (isRepeated) {
      return undefined;
    }
    this.#lastPassedOnAt = this.now();
    return fromTerminal ? undefined : received === "SIGHUP" ? "SIGTERM" : received;
  }
}
