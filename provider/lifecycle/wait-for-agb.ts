import { AgbTimeoutError } from "../api/errors";
import { type Clock, type PollOptions, waitUntil } from "./wait";

/** How often to look at what AGB does in the background. AGB's SDK looks every two seconds. */
const looks = { firstDelayMs: 200, longestDelayMs: 2_000 };

/** A call with less time than this, in milliseconds, says nothing about AGB when it gets no answer. */
const shortCallMs = 100;

/**
 * Looks at AGB until the look returns `true`, see `waitUntil`.
 *
 * @param options default: after 200 ms, later every 2 s
 * @returns `false` when the time ran out first
 */
export async function waitForAgb(
  look: () => Promise<boolean>,
  options: Partial<PollOptions> & { readonly timeoutMs: number },
  clock: Clock,
): Promise<boolean> {
  const deadlineMs = clock.elapsedMs() + options.timeoutMs;
  try {
    return await waitUntil(look, { ...looks, ...options }, clock);
  } catch (error) {
    // The client's own limit may be over a moment before the wait's, and leave the last look too little time.
    const isAtEnd = clock.elapsedMs() >= deadlineMs - shortCallMs;
    if (error instanceof AgbTimeoutError && (error.timeoutMs === 0 || (isAtEnd && error.timeoutMs < shortCallMs))) {
      return false;
    }
    throw error;
  }
}
