/** What a failed createSession call says about the session: whether it may exist, and whether to retry. */
import {
  AgbApiError,
  AgbAuthenticationError,
  AgbNetworkError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "../api/errors";
import { certainlyHadNoEffect, isTransient } from "../api/retry";

/**
 * Returns whether a session may exist although the call failed. It certainly does not exist if nothing was sent, if the
 * key was refused, or if AGB itself refused with a status below 500 (except 408) and named no session.
 */
export function mayHaveCreatedSession(error: unknown): boolean {
  if (!(error instanceof AgbApiError)) {
    return !certainlyHadNoEffect(error);
  }
  if (error.sessionId !== undefined || error.status === 408 || error.status >= 500) {
    return true;
  }
  return !error.isFromAgb && !(error instanceof AgbAuthenticationError);
}

/** Returns whether AGB may still be working on the call, so that a session may appear after any search. */
export function mayStillCreateSession(error: unknown): boolean {
  return error instanceof AgbTimeoutError || (error instanceof AgbApiError && error.status === 504);
}

/** Returns whether another createSession may succeed, once it is known that this one created nothing. */
export function isWorthRetrying(error: unknown): boolean {
  if (error instanceof AgbApiError && error.sessionId !== undefined) {
    // The session that AGB named may exist although the search did not find it.
    return false;
  }
  // Without a connection, the client itself has retried often enough.
  return !certainlyHadNoEffect(error) && (isTransient(error) || error instanceof AgbUnexpectedReplyError);
}

/** Returns whether a failed look for a session may succeed later: AGB lags, is overloaded or unreachable. */
export function isTemporaryFailure(error: unknown): boolean {
  if (error instanceof AgbApiError) {
    return isTransient(error);
  }
  return !(error instanceof AgbNetworkError && error.lasting);
}
