// The console's live view: server-sent events. It looks at the emulator a few times per second while someone watches. Being
// notified of requests would not be enough, because time ends sessions without any request.

import type { ServerResponse } from "node:http";
import { type AdminSubject, viewClock, viewContexts, viewRequests, viewSessions } from "./view";

const lookEveryMs = 200;
const reconnectAfterMs = 1000;

/**
 * Sends everything that the console shows, and then each part that changes: events `clock` (once a second),
 * `sessions`, `contexts` and `requests`.
 *
 * @param closing ends the stream
 */
export function streamEvents(outgoing: ServerResponse, subject: AdminSubject, closing: AbortSignal): void {
  const sent = new Map<string, string>();
  const sendIfChanged = (event: string, data: unknown, sameAs: string) => {
    if (sent.get(event) !== sameAs) {
      sent.set(event, sameAs);
      outgoing.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    }
  };
  const look = () => {
    // A reader that is too slow gets fewer, newer views instead of a growing queue.
    if (outgoing.writableNeedDrain) {
      return;
    }
    const clock = viewClock(subject);
    sendIfChanged("clock", clock, String(Math.floor(clock.nowMs / 1000)));
    for (const [event, view] of [
      ["sessions", viewSessions(subject)],
      ["contexts", viewContexts(subject)],
      ["requests", viewRequests(subject)],
    ] as const) {
      sendIfChanged(event, view, JSON.stringify(view));
    }
  };
  const timer = setInterval(look, lookEveryMs);
  const end = () => outgoing.end();
  closing.addEventListener("abort", end, { once: true });
  outgoing.on("close", () => {
    clearInterval(timer);
    closing.removeEventListener("abort", end);
  });
  outgoing.writeHead(200, { "content-type": "text/event-stream;charset=utf-8", connection: "keep-alive" });
  outgoing.write(`retry: ${reconnectAfterMs}\n\n`);
  look();
}
