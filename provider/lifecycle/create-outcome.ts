/** What a failed createSession call says about the session: whether it may exist, and whether to try again. */
import {
  AgbApiError,
  AgbAuthenticationError,
  AgbNetworkError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "../api/errors";
import { certainlyHadNoEffect, isTransient } from "../api/retry";

/**
 * Tells whether a session may exist although the call failed. The contrary is certain only when nothing was sent, when
 * AGB itself refused with a status below 500 (and not 408) without naming a session, or when the key was refused.
 */
export function mayHaveMadeSession(error: unknown): boolean {
  if (!(error instanceof AgbApiError)) {
    return !certainlyHadNoEffect(error);
  }
  if (error.sessionId !== undefined || error.status === 408 || error.status >= 500) {
    return true;
  }
  return !error.isFromAgb && !(error instanceof AgbAuthenticationError);
}

/** Tells whether AGB may still be working on the call, so that a session may appear after any search. */
export function mayStillMakeSession(error: unknown): boolean {
  return error instanceof AgbTimeoutError || (error instanceof AgbApiError && error.status === 504);
}

/** Tells whether another createSession may succeed, once it is known that this one made nothing. */
export function isWorthAnotherTry(error: unknown): boolean {
  if (error instanceof AgbApiError && error.sessionId !== undefined) {
    // AGB named a session. That the search did not find it does not mean that it does not exist.
    return false;
  }
  // Without a connection, the client itself has tried often enough.
  return !certainlyHadNoEffect(error) && (isTransient(error) || error instanceof AgbUnexpectedReplyError);
}

/** Tells whether a failed look for a session may succeed when it is repeated: AGB lags, is overloaded or unreachable. */
export function isPassingFailure(error: unknown): boolean {
  if (error instanceof AgbApiError) {
    return isTransient(error);
  }
  return !(error instanceof AgbNetworkError && error.lasting);
}
