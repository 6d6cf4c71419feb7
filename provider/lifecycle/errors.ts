import { CleanError } from "../api/errors";

/** A create failed, and one of its attempts may have created a session that was not found. */
export class AgbUncertainCreateError extends CleanError {
  /**
   * @param createToken value of the label `pulumi-create` that the session carries if it exists
   * @param reason why it is not known whether the session exists
   */
  constructor(
    readonly createToken: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(
      `it is not known whether a session was created${describeCause(options?.cause)} (${reason}). ` +
        `If one was, its label is pulumi-create=${createToken}`,
      options,
    );
  }
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? `: ${cause.message}` : "";
}

/** The run ended before the create was sent. */
export class AgbRunEndedError extends CleanError {
  constructor() {
    super("the run ended before the session was created");
  }
}

/** A session still exists when the time limit of its release is over. */
export class AgbReleaseTimeoutError extends CleanError {
  constructor(
    readonly sessionId: string,
    readonly timeoutMs: number,
  ) {
    super(`AGB accepted the release of session ${sessionId}, but the session still exists after ${timeoutMs} ms`);
  }
}
