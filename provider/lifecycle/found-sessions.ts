import type { AgbClient } from "../api/client";
import { getLabels, type Labels } from "../api/labels";
import { listSessions } from "../api/sessions";
import { unlessGone } from "../api/unless-gone";
import { hasLabel } from "./labels";

/** A running session and its labels. */
export interface FoundSession {
  readonly sessionId: string;
  /** AGB's status, such as `RUNNING`, or an empty string. */
  readonly status: string;
  readonly labels: Labels;
}

/** How many sessions are asked for their labels at the same time. */
const parallelReads = 8;

/**
 * Yields the sessions that carry all of the given labels, each once and in no particular order. AGB lists no labels, so each
 * session costs a call of its own. Sessions that end meanwhile are left out, and so are those whose own labels differ from
 * what the list found.
 *
 * @param labels filter; without labels, every session of the account
 * @param onCount called after each page with the number of all matches, which is 0 when AGB does not name it
 * @throws AgbEndlessListError when the list does not end
 */
export async function* findSessions(
  client: AgbClient,
  labels: Labels = {},
  onCount?: (count: number) => void,
): AsyncGenerator<FoundSession> {
  const reading: Promise<FoundSession | undefined>[] = [];
  const wanted = Object.entries(labels);
  for await (const { sessionId, status } of listSessions(client, labels, undefined, onCount)) {
    const read = unlessGone(getLabels(client, sessionId)).then((found) =>
      found !== undefined && wanted.every(([key, value]) => hasLabel(found, key, value))
        ? { sessionId, status, labels: found }
        : undefined,
    );
    // Awaited below; until then a rejection must not end the process.
    read.catch(() => {});
    reading.push(read);
    if (reading.length >= parallelReads) {
      const found = await reading.shift();
      if (found !== undefined) {
        yield found;
      }
    }
  }
  for (const read of reading) {
    const found = await read;
    if (found !== undefined) {
      yield found;
    }
  }
}
