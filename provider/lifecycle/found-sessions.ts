import type { AgbClient } from "../api/client";
import { AgbUnexpectedReplyError } from "../api/errors";
import { getLabels, type Labels } from "../api/labels";
import { getSession, getSessionStatus, type ListedSession, listSessions, type SessionIdentity } from "../api/sessions";
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
  /** Ids of sessions to leave out. Their labels are not read. Default: none. */
  readonly known?: ReadonlySet<string> | undefined;
  /** Called in its turn with a session whose labels cannot be read. It is left out. Default: the search fails. */
  readonly onUnreadable?: ((sessionId: string, error: AgbUnexpectedReplyError) => void) | undefined;
}

/** How many sessions are asked for their labels at the same time. */
const parallelReads = 8;

/**
 * Yields the sessions that carry all of the given labels, each once and in AGB's order. AGB lists no labels, so each session
 * costs a call of its own. Sessions that end meanwhile are left out, and so are those whose own labels differ from what the
 * list found.
 *
 * @param labels filter; without labels, every session of the account
 * @throws AgbEndlessListError when the list does not end
 * @throws AgbUnexpectedReplyError when the labels of a session cannot be read, unless `onUnreadable` takes that
 */
export async function* findSessions(
  client: AgbClient,
  labels: Labels = {},
  { onCount, known, onUnreadable }: FindOptions = {},
): AsyncGenerator<FoundSession> {
  const wanted = Object.entries(labels);
  const reading: { readonly listed: ListedSession; readonly labels: Promise<Labels | undefined> }[] = [];

  async function* takeFirst(): AsyncGenerator<FoundSession> {
    const first = reading.shift();
    if (first === undefined) {
      return;
    }
    try {
      const found = await first.labels;
      if (found !== undefined && wanted.every(([key, value]) => hasLabel(found, key, value))) {
        yield { ...first.listed, labels: found };
      }
    } catch (error) {
      if (onUnreadable === undefined || !(error instanceof AgbUnexpectedReplyError)) {
        throw error;
      }
      onUnreadable(first.listed.sessionId, error);
    }
  }

  for await (const listed of listSessions(client, labels, undefined, onCount)) {
    if (known?.has(listed.sessionId)) {
      continue;
    }
    const read = unlessGone(getLabels(client, listed.sessionId));
    // Awaited in its turn; until then a rejection must not end the process.
    read.catch(() => {});
    reading.push({ listed, labels: read });
    if (reading.length >= parallelReads) {
      yield* takeFirst();
    }
  }
  while (reading.length > 0) {
    yield* takeFirst();
  }
}
