/**
 * What can go wrong in a call to AGB. Each class is one kind of bad day, so that callers decide by class and
 * never by a text. Messages hold facts only (operation, code, HTTP status, request id); what the user can do
 * about it is added where the resource is known. No message ever holds the API key or a token. Whoever makes an error
 * of a reply has cleaned what the reply says, see `outside-text.ts`; the base makes the rest harmless, such as the
 * words of OpenSSL or of a proxy.
 */
import { printable } from "./outside-text";

const longestMessage = 4_000;

/** Base of all errors of this package whose message is ready to be shown: what it quotes from outside is clean. */
export abstract class CleanError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Base of every error that a call to AGB ends with. */
export abstract class AgbError extends CleanError {
  /**
   * @param operation AGB's name of the call, such as `createSession`
   * @param message what happened, in one line
   */
  constructor(
    readonly operation: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(printable(message, longestMessage), options);
  }
}

/** What AGB said when it refused a call. */
export interface Refusal {
  /** AGB's machine code, empty when it gave none. */
  readonly code: string;
  /** AGB's own words, empty when it gave none. */
  readonly reason: string;
  /** HTTP status of the reply. */
  readonly status: number;
  /** Id to quote to AGB's support, empty when the reply had none. */
  readonly requestId: string;
  /** Whether the reply was AGB's own; a proxy's page says nothing of what AGB did. */
  readonly isFromAgb: boolean;
  /** The URL that was asked, without its query, which may be secret. */
  readonly url?: string | undefined;
  /** How long AGB asked to wait before the next try (`Retry-After`), in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Id of a session that the refusing reply named all the same: it may exist and cost money. */
  readonly sessionId?: string | undefined;
}

/** AGB answered and refused: an error status, `success: false`, or a failure inside `data`. */
export class AgbApiError extends AgbError {
  readonly code: string;
  readonly reason: string;
  readonly status: number;
  readonly requestId: string;
  readonly isFromAgb: boolean;
  readonly retryAfterMs: number | undefined;
  readonly sessionId: string | undefined;

  constructor(operation: string, refusal: Refusal) {
    const facts = [
      refusal.code && `code ${refusal.code}`,
      `HTTP ${refusal.status}`,
      refusal.requestId && `request id ${refusal.requestId}`,
    ].filter(Boolean);
    const refuser = (!refusal.isFromAgb && refusal.url) || "AGB";
    super(operation, `${refuser} refused ${operation}: ${refusal.reason || "no reason given"} (${facts.join(", ")})`);
    this.code = refusal.code;
    this.reason = refusal.reason;
    this.status = refusal.status;
    this.requestId = refusal.requestId;
    this.isFromAgb = refusal.isFromAgb;
    this.retryAfterMs = refusal.retryAfterMs;
    this.sessionId = refusal.sessionId;
  }
}

/**
 * What the call is about is gone: a session was released, a context was deleted, or it never existed. Only AGB's code
 * says so, never the words of a message.
 */
export class AgbNotFoundError extends AgbApiError {}

/** The API key is wrong, expired, of another region, or has no right to the call. */
export class AgbAuthenticationError extends AgbApiError {}

/** No whole reply within the time limit of the call, retries included. */
export class AgbTimeoutError extends AgbError {
  /** `false` only when AGB certainly saw nothing of the call: there was no connection, or no time left to begin. */
  readonly requestSent: boolean;

  /**
   * @param timeoutMs the limit; 0 when the time for the whole operation was over before the call
   * @param options `waitedMs`: how long the wait really was; `unsent`: what was reached when nothing could be sent
   */
  constructor(
    operation: string,
    readonly timeoutMs: number,
    options?: ErrorOptions & { readonly waitedMs?: number; readonly unsent?: Unsent | undefined },
  ) {
    super(operation, timeoutMessage(operation, timeoutMs, options?.waitedMs ?? timeoutMs, options?.unsent), options);
    this.requestSent = timeoutMs > 0 && options?.unsent === undefined;
  }
}

/** How far a call got that ran out of time before it could be sent. */
interface Unsent {
  /** Base URL that was called. */
  readonly endpoint: string;
  /** What was being done or waited for, such as `looking up agb.example`. */
  readonly step: string;
}

// A timer that is late by this much is worth a word: this process was busy, and the limit alone would mislead.
const notableDelayMs = 1_000;

function timeoutMessage(operation: string, timeoutMs: number, waitedMs: number, unsent: Unsent | undefined): string {
  if (timeoutMs <= 0) {
    return `the time for the whole operation was over before ${operation}`;
  }
  const isLate = waitedMs - timeoutMs >= notableDelayMs;
  const late = isLate ? ` (the wait took ${Math.round(waitedMs)} ms, because this process was busy)` : "";
  return unsent === undefined
    ? `AGB did not answer ${operation} within ${timeoutMs} ms${late}`
    : `there was no connection to ${unsent.endpoint} for ${operation} within ${timeoutMs} ms${late}; ` +
        `nothing was sent. Last step: ${unsent.step}`;
}

/** The connection failed. */
export class AgbNetworkError extends AgbError {
  /** Whether waiting cannot help: a certificate that is not trusted, no TLS, a proxy that refuses. */
  readonly lasting: boolean;

  /**
   * @param endpoint base URL that was called
   * @param requestSent `false` only when AGB certainly saw nothing of the call (no connection was made)
   */
  constructor(
    operation: string,
    readonly endpoint: string,
    readonly requestSent: boolean,
    reason: string,
    options?: ErrorOptions & { readonly lasting?: boolean },
  ) {
    super(
      operation,
      requestSent
        ? `the connection to ${endpoint} broke during ${operation}: ${reason}`
        : `no connection to ${endpoint} for ${operation}: ${reason}`,
      options,
    );
    this.lasting = options?.lasting ?? false;
  }
}

/** A list that AGB does not bring to an end: nothing is known of what would have followed. */
export class AgbEndlessListError extends AgbError {
  /**
   * @param pages how many pages were read
   * @param reason why no more are read
   */
  constructor(
    operation: string,
    readonly pages: number,
    reason: string,
  ) {
    super(
      operation,
      `the list of ${operation} did not end after ${pages} pages: ${reason}. Run the command again; ` +
        "if that does not help, the service at the endpoint does not page as AGB does, and its owner must know",
    );
  }
}

/** A reply that is not AGB's: no JSON envelope, or one without what the call must return. */
export class AgbUnexpectedReplyError extends AgbError {
  constructor(
    operation: string,
    readonly status: number,
    readonly requestId: string,
    reason: string,
  ) {
    super(
      operation,
      `the reply to ${operation} is not what AGB sends: ${reason} (HTTP ${status}${requestId && `, request id ${requestId}`})`,
    );
  }
}
