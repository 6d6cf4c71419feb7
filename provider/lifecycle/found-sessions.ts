import type { AgbClient } from "../api/client";
import { AgbUnexpectedReplyError } from "../api/errors";
import { getLabels, type Labels } from "../api/labels";
import { getSession, getSessionStatus, listSessions, type SessionIdentity } from "../api/sessions";
import { unlessGone } from "../api/unless-gone";
import { hasLabel } from "./labels";
import { isReleasedStatus, unlessSessionGone } from "./session";

/** A running session and its labels. */
export interface FoundSession {
  readonly sessionId: string;
  /** AGB's status, such as `RUNNING`, or an empty string. */
  readonly status: string;
  readonly labels: Labels;
}

/**
 * Finds a running session by its id, with three calls at the same time.
 *
 * @returns `undefined` if AGB says that there is none
 * @throws AgbError of any other kind, which says nothing about the session
 */
export async function findSession(
  client: AgbClient,
  sessionId: string,
): Promise<(FoundSession & SessionIdentity) | undefined> {
  const answers = await unlessSessionGone([
    getSessionStatus(client, sessionId),
    getLabels(client, sessionId),
    getSession(client, sessionId),
  ]);
  if (answers === undefined || isReleasedStatus(answers[0])) {
    return undefined;
  }
  const [status, labels, { appInstanceId, resourceId }] = answers;
  return { sessionId, status, labels, appInstanceId, resourceId };
}

/** What a caller wants to know besides the sessions. */
export interface FindOptions {
  /** Called after each page with the number of all matches, which is 0 when AGB does not name it. */
  readonly onCount?: ((count: number) => void) | undefined;
  /** Called with a session whose labels cannot be read. It is then left out. Default: the search fails. */
  readonly onUnreadable?: ((sessionId: string, error: AgbUnexpectedReplyError) => void) | undefined;
}

/** How many sessions are asked for their labels at the same time. */
const parallelReads = 8;

/**
 * Yields the sessions that carry all of the given labels, each once and in no particular order. AGB lists no labels, so each
 * session costs a call of its own. Sessions that end meanwhile are left out, and so are those whose own labels differ from
 * what the list found.
 *
 * @param labels filter; without labels, every session of the account
 * @throws AgbEndlessListError when the list does not end
 * @throws AgbUnexpectedReplyError when the labels of a session cannot be read, unless `onUnreadable` takes that
 */
export async function* findSessions(
  client: AgbClient,
  labels: Labels = {},
  { onCount, onUnreadable }: FindOptions = {},
): AsyncGenerator<FoundSession> {
  const reading: Promise<FoundSession | undefined>[] = [];
  const wanted = Object.entries(labels);
  for await (const { sessionId, status } of listSessions(client, labels, undefined, onCount)) {
    const read = unlessGone(getLabels(client, sessionId)).then(
      (found) =>
        found !== undefined && wanted.every(([key, value]) => hasLabel(found, key, value))
          ? { sessionId, status, labels: found }
          : undefined,
      (error: unknown) => {
        if (onUnreadable === undefined || !(error instanceof AgbUnexpectedReplyError)) {
          throw error;
        }
        onUnreadable(sessionId, error);
        return undefined;
      },
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
