/** What a failed create says about its effect: whether a session or context may exist, and whether to retry. */
import {
  AgbApiError,
  AgbAuthenticationError,
  AgbNetworkError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "../api/errors";
import { certainlyHadNoEffect, isTransient } from "../api/retry";

/**
 * Returns whether the call may have had an effect although it failed. It certainly had none if nothing was sent, if the key
 * was refused, or if AGB itself refused with a status below 500 (except 408) and named no session.
 */
export function mayHaveHadEffect(error: unknown): boolean {
  if (!(error instanceof AgbApiError)) {
    return !certainlyHadNoEffect(error);
  }
  if (error.sessionId !== undefined || error.status === 408 || error.status >= 500) {
    return true;
  }
  return !error.isFromAgb && !(error instanceof AgbAuthenticationError);
}

/** Returns whether AGB may still be working on the call, so that its effect may appear after any search. */
export function mayStillHaveEffect(error: unknown): boolean {
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
