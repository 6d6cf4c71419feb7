import { AgbApiError, AgbNetworkError, AgbTimeoutError } from "./errors";

/** How often a call is tried in all. */
export const maximumAttempts = 5;

const firstDelayMs = 200;
const longestDelayMs = 5_000;

/**
 * Tells whether the same call may succeed when it is simply made again: broken connections, HTTP 408, 429 and 5xx.
 * What lasts, such as a certificate that is not trusted, is not worth another try.
 * Whether it may be repeated without harm is the operation's matter, not decided here.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof AgbNetworkError) {
    return !error.lasting;
  }
  return error instanceof AgbApiError && (error.status === 408 || error.status === 429 || error.status >= 500);
}

/** Tells whether AGB certainly did nothing for the failed call, so that even a create may be made again. */
export function certainlyHadNoEffect(error: unknown): boolean {
  return (error instanceof AgbNetworkError || error instanceof AgbTimeoutError) && !error.requestSent;
}

/**
 * Time to wait before the next try, in milliseconds: exponential with full jitter, but never less than what AGB asked
 * for with `Retry-After`.
 *
 * @param attempt number of the try that failed, from 1
 * @param error what it failed with
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
 * @param nowMs the present time, milliseconds since 1970
 * @returns milliseconds from now, `undefined` when the header is missing or unreadable
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
