import type { JournalEntry } from "../emulator";

/** The format of the request log: `json` for programs, `pretty` for people. */
export type RequestLogFormat = "json" | "pretty";

/** One request as a line, without a line end. Keys, labels and queries are not in it, because the journal has none. */
export function requestLine(entry: JournalEntry, format: RequestLogFormat): string {
  const { atMs, ...rest } = entry;
  const { operation, method, path, status, durationMs, requestId, sessionId } = rest;
  const time = new Date(atMs).toISOString();
  if (format === "json") {
    return JSON.stringify({ time, ...rest, durationMs: Math.round(durationMs * 1000) / 1000 });
  }
  return [
    time.slice(11, 23),
    status === 0 ? "reset" : String(status).padEnd(5),
    (operation === "unknown" ? `${method} ${JSON.stringify(path).slice(1, -1)}` : operation).padEnd(22),
    `${durationMs.toFixed(1)} ms`.padStart(10),
    requestId,
    ...(sessionId === undefined ? [] : [sessionId]),
  ].join("  ");
}
