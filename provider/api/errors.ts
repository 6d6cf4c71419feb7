/**
 * The errors of a call to AGB. Each class is one kind of failure, so callers decide by class and never by message text.
 * Messages state facts only (operation, code, HTTP status, request id). The layer that knows the resource adds what the
 * user can do. No message contains the API key or a token: text from a reply is cleaned before it gets here, see
 * `outside-text.ts`, and the base class escapes the rest, such as the words of OpenSSL or a proxy.
 */
import { printable } from "./outside-text";

const longestMessage = 4_000;

/** Options of an error. The compiler knows its own `ErrorOptions` only for programs of ES2022 and later. */
interface Cause {
  readonly cause?: unknown;
}

/** Base class of all errors of this package whose message is safe to print. What it quotes from outside is clean. */
export abstract class CleanError extends Error {
  constructor(message: string, options?: Cause) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Base class of the errors of calls to AGB. */
export abstract class AgbError extends CleanError {
  /**
   * @param operation AGB's name of the call, such as `createSession`
   * @param message what happened, in one line
   */
  constructor(
    readonly operation: string,
    message: string,
    options?: Cause,
  ) {
    super(printable(message, longestMessage), options);
  }
}

/** AGB's refusal of a call. */
export interface Refusal {
  /** AGB's error code, or an empty string. */
  readonly code: string;
  /** AGB's error message, or an empty string. */
  readonly reason: string;
  /** HTTP status of the reply. */
  readonly status: number;
  /** Id to give to AGB's support, or an empty string. */
  readonly requestId: string;
  /** Whether the reply came from AGB. A proxy's page says nothing about what AGB did. */
  readonly isFromAgb: boolean;
  /** The requested URL without its query, which may be secret. */
  readonly url?: string | undefined;
  /** How long AGB asked to wait before a retry (`Retry-After`), in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Id of a session that the reply names despite the refusal. It may exist and cost money. */
  readonly sessionId?: string | undefined;
}

/** AGB refused the call: an error status, `success: false`, or a failure inside `data`. */
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
 * What the call is about is gone: a session was released, a context was deleted, or it never existed. Recognised by AGB's
 * code, never by the message text.
 */
export class AgbNotFoundError extends AgbApiError {}

/** The API key is wrong, expired, for another region, or not allowed to make this call. */
export class AgbAuthenticationError extends AgbApiError {}

/** The call and its retries did not finish within the time limit. */
export class AgbTimeoutError extends AgbError {
  /** `false` only if AGB certainly did not see the call: there was no connection, or no time left to start. */
  readonly requestSent: boolean;

  /**
   * @param timeoutMs the limit; 0 if the whole operation had no time left for the call
   * @param options `waitedMs`: how long the wait really took; `unsent`: how far the call got if nothing was sent
   */
  constructor(
    operation: string,
    readonly timeoutMs: number,
    options?: Cause & { readonly waitedMs?: number; readonly unsent?: Unsent | undefined },
  ) {
    super(operation, timeoutMessage(operation, timeoutMs, options?.waitedMs ?? timeoutMs, options?.unsent), options);
    this.requestSent = timeoutMs > 0 && options?.unsent === undefined;
  }
}

/** How far a call got before it ran out of time without being sent. */
interface Unsent {
  /** Base URL that was called. */
  readonly endpoint: string;
  /** The last step, such as `looking up agb.example`. */
  readonly step: string;
}

// If a timer fires this late, this process was busy. The message says so, because the limit alone would mislead.
const notableDelayMs = 1_000;

function timeoutMessage(operation: string, timeoutMs: number, waitedMs: number, unsent: Unsent | undefined): string {
  if (timeoutMs <= 0) {
    return `the time limit of the whole operation had passed before ${operation}`;
  }
  const isLate = waitedMs - timeoutMs >= notableDelayMs;
  const late = isLate ? ` (the wait took ${Math.round(waitedMs)} ms, because this process was busy)` : "";
  return unsent === undefined
    ? `AGB did not answer ${operation} within ${timeoutMs} ms${late}`
    : `no connection to ${unsent.endpoint} for ${operation} within ${timeoutMs} ms${late}; ` +
        `nothing was sent. Last step: ${unsent.step}`;
}

/** The connection failed. */
export class AgbNetworkError extends AgbError {
  /** Whether a retry cannot help, for example with an untrusted certificate, without TLS, or if a proxy refuses. */
  readonly lasting: boolean;
  /** What failed, if it was not the network: TLS with the endpoint, or the proxy. */
  readonly obstacle: "tls" | "proxy" | undefined;

  /**
   * @param endpoint base URL that was called
   * @param requestSent `false` only if AGB certainly did not see the call, because there was no connection
   */
  constructor(
    operation: string,
    readonly endpoint: string,
    readonly requestSent: boolean,
    reason: string,
    options?: Cause & { readonly lasting?: boolean; readonly obstacle?: "tls" | "proxy" | undefined },
  ) {
    super(
      operation,
      requestSent
        ? `the connection to ${endpoint} broke during ${operation}: ${reason}`
        : `no connection to ${endpoint} for ${operation}: ${reason}`,
      options,
    );
    this.lasting = options?.lasting ?? false;
    this.obstacle = options?.obstacle;
  }
}

/** A list of AGB that does not end. The remaining items are unknown. */
export class AgbEndlessListError extends AgbError {
  /**
   * @param pages how many pages were read
   * @param reason why reading stopped
   */
  constructor(
    operation: string,
    readonly pages: number,
    reason: string,
  ) {
    super(
      operation,
      `the list of ${operation} did not end after ${pages} pages: ${reason}. Run the command again. ` +
        "If that does not help, the service at the endpoint does not page as AGB does; report it to its owner",
    );
  }
}

/** A reply that AGB does not send: not a JSON envelope, or one without the data that the call must return. */
export class AgbUnexpectedReplyError extends AgbError {
  constructor(
    operation: string,
    readonly status: number,
    readonly requestId: string,
    reason: string,
  ) {
    super(
      operation,
      `unexpected reply to ${operation}: ${reason} (HTTP ${status}${requestId && `, request id ${requestId}`})`,
    );
  }
}
