import { CleanError } from "../api/errors";

/** A create that failed although one of its tries may have made a session, which was not found. */
export class AgbUncertainCreateError extends CleanError {
  /**
   * @param createToken value of the label `pulumi-create` that the session carries if it exists
   * @param reason why it is not known whether there is one
   */
  constructor(
    readonly createToken: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(
      `it could not be found out whether a session was made${describeCause(options?.cause)} (${reason}). ` +
        `If one was, it carries the label pulumi-create=${createToken}`,
      options,
    );
  }
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? `: ${cause.message}` : "";
}

/** A create that began when the run was over already. Nothing was sent. */
export class AgbRunEndedError extends CleanError {
  constructor() {
    super("the run ended before the session was made");
  }
}

/** A session that was asked to go and is still there when the time for it is over. */
export class AgbReleaseTimeoutError extends CleanError {
  constructor(
    readonly sessionId: string,
    readonly timeoutMs: number,
  ) {
    super(`AGB accepted the release of session ${sessionId}, but it is still there after ${timeoutMs} ms`);
  }
}
