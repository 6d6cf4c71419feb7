import type { ExchangeNotice } from "../api/client";
import type { SearchNotice } from "../lifecycle/create-runtime";

// Pulumi shows what a provider writes to its error stream as a diagnostic of the run.

/** Says that a create waits for the search for a session that it may have made, in one line. */
export function reportSearch({ error, searchMs }: SearchNotice): void {
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ");
  const seconds = Math.ceil(searchMs / 1_000);
  console.error(`agb: a failed createSession may have made a session; searching for up to ${seconds} s: ${reason}`);
}

/**
 * Tells of a request and its reply, for `AGB_LOG_LEVEL=debug`.
 *
 * @param apiKey key of the call, which is masked also where a server repeats it
 */
export function logExchange({ operation, status, durationMs, sent, received }: ExchangeNotice, apiKey: string): void {
  const show = (value: unknown) => JSON.stringify(reveal(value, apiKey));
  const reply = received === undefined ? "" : ` <- ${show(received)}`;
  console.error(`agb: ${operation} HTTP ${status} in ${Math.round(durationMs)} ms: ${show(sent)}${reply}`);
}

const mask = "***";

/**
 * Fields whose values are safe to show. Everything else may be or hold a key, a token, a ticket, a signed URL or a
 * label that the user keeps secret, also what AGB may add one day. AGB's own words (`message`) are not among them:
 * nobody knows what a server repeats in them, and an error tells them anyway.
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

/** Where AGB puts such fields: anywhere else, as in a set of labels, the same name may mean anything. */
const envelopes = new Set(["data", "body"]);

function reveal(value: unknown, apiKey: string): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => reveal(item, apiKey));
  }
  if (typeof value !== "object" || value === null) {
    return mask;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      envelopes.has(key) ? reveal(item, apiKey) : harmless.has(key) ? revealField(item, apiKey) : mask,
    ]),
  );
}

function revealField(value: unknown, apiKey: string): unknown {
  if (typeof value === "string") {
    return value.replaceAll(apiKey, mask);
  }
  return typeof value === "object" && value !== null ? mask : value;
}
