import type { ExchangeNotice } from "../api/client";
import { printable } from "../api/outside-text";
import type { SearchNotice } from "../lifecycle/create-runtime";
import { withCode } from "../messages/message-codes";

/**
 * Makes a reporter of creates that search for their session, because a failed call may have created it. Searches that begin
 * while the first may still last are not reported again.
 *
 * @param say shows a line to the user
 * @param now the present time in milliseconds
 */
export function searchReporter(
  say: (message: string) => void,
  now: () => number = () => performance.now(),
): (notice: SearchNotice) => void {
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  return ({ error, searchMs }) => {
    if (now() < quietUntilMs) {
      return;
    }
    quietUntilMs = now() + searchMs;
    const reason = printable(error instanceof Error ? error.message : String(error));
    const seconds = Math.ceil(searchMs / 1_000);
    const message =
      `createSession failed, but it may have created a session: ${reason}. Searching for that session for up to ` +
      `${seconds} s, also for those of other creates that fail meanwhile.`;
    say(withCode(message, "AGB403"));
  };
}

// A reply may have megabytes.
const longestJson = 4_000;

/** Describes a request and its reply, for `AGB_LOG_LEVEL=debug`. */
export function describeExchange({ operation, status, durationMs, sent, received, clean }: ExchangeNotice): string {
  const show = (value: unknown) => clean(JSON.stringify(reveal(value)), longestJson);
  const reply = received === undefined ? "" : ` <- ${show(received)}`;
  return `${operation} HTTP ${status} in ${Math.round(durationMs)} ms: ${show(sent)}${reply}`;
}

const mask = "***";

/**
 * Fields whose values are safe to show. Everything else may contain a key, a token, a ticket, a signed URL or a secret
 * label, and so may fields that AGB adds later. AGB's own words (`message`) are not on the list: they may repeat
 * anything, and an error shows them anyway.
 */
const harmless = new Set([
  "success",
  "code",
  "httpStatusCode",
  "requestId",
  "count",
  "maxResults",
  "imageId",
  "timeout",
  "mcpPolicyId",
  "sessionId",
  "sessionStatus",
  "status",
  "appInstanceId",
  "resourceId",
]);

/** Where AGB puts such fields. Anywhere else, as in a set of labels, the same name may mean anything. */
const envelopes = new Set(["data", "body"]);

function reveal(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(reveal);
  }
  if (typeof value !== "object" || value === null) {
    return mask;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      envelopes.has(key) ? reveal(item) : harmless.has(key) ? revealField(item) : mask,
    ]),
  );
}

function revealField(value: unknown): unknown {
  return typeof value === "object" && value !== null ? mask : value;
}
