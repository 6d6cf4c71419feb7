import { AgbApiError, AgbNetworkError, AgbTimeoutError } from "./errors";

/** Attempts of a call in all, with the first one. */
export const maximumAttempts = 5;

const firstDelayMs = 200;
const longestDelayMs = 5_000;

/**
 * Returns whether a retry of the same call may succeed: after broken connections, HTTP 408, 429 and 5xx, but not after
 * lasting failures such as an untrusted certificate. Whether a retry is safe depends on the operation.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof AgbNetworkError) {
    return !error.lasting;
  }
  return error instanceof AgbApiError && (error.status === 408 || error.status === 429 || error.status >= 500);
}

/** Returns whether AGB certainly did nothing for the failed call, so that even a create may be retried. */
export function certainlyHadNoEffect(error: unknown): boolean {
  return (error instanceof AgbNetworkError || error instanceof AgbTimeoutError) && !error.requestSent;
}

/**
 * Returns the delay before the next attempt, in milliseconds: exponential with full jitter, but never less than AGB asked
 * for with `Retry-After`.
 *
 * @param attempt number of the attempt that failed, from 1
 * @param error the error that it failed with
 * @param random a number from 0 to below 1
 */
export function retryDelayMs(attempt: number, error: unknown, random: number): number {
  const ceilingMs = Math.min(longestDelayMs, firstDelayMs * 2 ** (attempt - 1));
  const askedMs = error instanceof AgbApiError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(askedMs, Math.round(random * ceilingMs));
}

/**
 * Reads the header `Retry-After`, which holds seconds or an HTTP date.
 *
 * @param nowMs the current time, milliseconds since 1970
 * @returns milliseconds from now; `undefined` if the header is missing or unreadable
 */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const value = header?.trim();
  if (!value) {
    return undefined;
  }
  if (/^\d+$/.test(value)) {
    return Number(value) * 1_000;
  }
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
