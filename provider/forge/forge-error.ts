import { CodedError } from "../messages/coded-error";
import type { MessageCode } from "../messages/message-codes";

/** What is known about a call that failed. */
export interface ForgeFailure {
  /** The forge's name. */
  readonly forge: string;
  /** What was tried, such as `read pull request 12 of acme/shop`. */
  readonly attempt: string;
  /** What happened, without a full stop. */
  readonly reason: string;
  /** HTTP status of the reply; absent when there was none. */
  readonly status?: number | undefined;
  /** Request id for the forge's support. */
  readonly requestId?: string | undefined;
  /** What the user can do about it, in full sentences. */
  readonly advice?: string | undefined;
  readonly code: MessageCode;
}

/** A call to the forge failed. The message never holds a token. */
export class ForgeError extends CodedError {
  override readonly name = "ForgeError";
  /** HTTP status of the reply; `undefined` when there was none. */
  readonly status: number | undefined;

  constructor(failure: ForgeFailure) {
    super(describe(failure), failure.code);
    this.status = failure.status;
  }
}

function describe({ forge, attempt, reason, status, requestId, advice }: ForgeFailure): string {
  const facts = [status && `HTTP ${status}`, requestId && `request id ${requestId}`].filter(Boolean).join(", ");
  return [`Could not ${attempt} on ${forge}: ${reason}${facts && ` (${facts})`}.`, advice].filter(Boolean).join(" ");
}
