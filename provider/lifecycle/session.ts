/**
 * The life cycle of a session: create it once, observe it, set its labels and read them back, release it and wait. Uses
 * the API layer, knows nothing of Pulumi and keeps no state.
 */
import type { AgbClient } from "../api/client";
import { AgbAuthenticationError, AgbNotFoundError } from "../api/errors";
import { getLabels, type Labels, setLabels } from "../api/labels";
import {
  confirmSessionIsAlive,
  getSession,
  getSessionStatus,
  releaseSession as requestRelease,
  type SessionIdentity,
  type SessionRequest,
} from "../api/sessions";
import { unlessGone } from "../api/unless-gone";
import { createExactlyOnce } from "./create-once";
import type { CreateRuntime } from "./create-runtime";
import { AgbReleaseTimeoutError } from "./errors";
import { foreignLabels, withoutLabels } from "./labels";
import { newCreateToken, ownershipKeys } from "./ownership";
import type { Clock } from "./wait";
import { waitForAgb } from "./wait-for-agb";

/** A new session and the labels that it carries. */
export interface CreatedSession extends SessionIdentity {
  readonly labels: Labels;
}

/** A running session as AGB sees it. */
export interface ObservedSession {
  readonly labels: Labels;
}

// The known final statuses. DELETING is not final, and an unknown status counts as running.
const releasedStatuses = new Set(["FINISH", "DELETED"]);

/** Whether a status means that AGB has released the session. */
export function isReleasedStatus(status: string): boolean {
  return releasedStatuses.has(status);
}

/** Default limit of the release of a session, in milliseconds. AGB's SDK also waits five minutes. */
export const defaultReleaseTimeoutMs = 300_000;

// AGB's SDK sleeps a full second before each look.
const releaseLooks = { firstDelayMs: 100, longestDelayMs: 1_000 };

/**
 * Creates exactly one session, with the given labels and a new create label.
 *
 * @param searcher client for the search after a lost reply, see `createExactlyOnce`
 * @throws AgbApiError when AGB refuses
 * @throws AgbUncertainCreateError when a session may exist that was not found
 */
export async function createOwnedSession(
  client: AgbClient,
  request: SessionRequest,
  runtime: CreateRuntime,
  searcher: AgbClient = client,
): Promise<CreatedSession> {
  const createToken = newCreateToken(new Date(runtime.clock.now()));
  const labels = { ...request.labels, [ownershipKeys.create]: createToken };
  const identity = await createExactlyOnce(client, { ...request, labels }, runtime, searcher);
  return { ...identity, labels };
}

/**
 * Observes a session, with two calls at the same time.
 *
 * @returns `undefined` if AGB's code says that the session is gone
 * @throws AgbError of any other kind, which says nothing about the session
 */
export async function observeSession(client: AgbClient, sessionId: string): Promise<ObservedSession | undefined> {
  const answers = await unlessSessionGone([confirmSessionIsAlive(client, sessionId), getLabels(client, sessionId)]);
  return answers && { labels: answers[1] };
}

/**
 * Waits for several calls about one session. An authentication failure puts the key in doubt, and with it another call's
 * "not found".
 *
 * @returns `undefined` if AGB's code says that the session is gone
 * @throws AgbError of any other kind, which says nothing about the session
 */
export async function unlessSessionGone<Answers extends readonly unknown[]>(
  calls: {
    readonly [Index in keyof Answers]: Promise<Answers[Index]>;
  },
): Promise<Answers | undefined> {
  const outcomes = await Promise.allSettled(calls);
  const failures = outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason);
  if (failures.length === 0) {
    return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as unknown as Answers;
  }
  const refusal = failures.find((failure) => failure instanceof AgbAuthenticationError);
  if (refusal === undefined && failures.some((failure) => failure instanceof AgbNotFoundError)) {
    return undefined;
  }
  throw refusal ?? failures[0];
}

/** Reads the unchanging parts of a session. Returns `undefined` if it is gone. */
export function identifySession(client: AgbClient, sessionId: string): Promise<SessionIdentity | undefined> {
  return unlessGone(getSession(client, sessionId));
}

/**
 * Sets the labels of a session and reads them back, because AGB's documents disagree on whether SetLabel replaces.
 *
 * @param ignored patterns of labels that belong to other tools: they are read first and set again
 * @param dropped labels that were ours; they are removed even if a pattern matches
 * @returns the labels that the session has now, without the ignored ones
 * @throws AgbNotFoundError when the session is gone
 */
export async function replaceLabels(
  client: AgbClient,
  sessionId: string,
  labels: Labels,
  ignored: readonly string[] = [],
  dropped: Labels = {},
): Promise<Labels> {
  const own = { ...dropped, ...labels };
  const kept = ignored.length > 0 ? foreignLabels(await getLabels(client, sessionId), own, ignored) : {};
  await setLabels(client, sessionId, { ...labels, ...kept });
  const found = await getLabels(client, sessionId);
  return withoutLabels(found, foreignLabels(found, own, ignored));
}

/**
 * Releases a session and waits until it is gone.
 *
 * @param timeoutMs how long to wait, in milliseconds
 * @returns `false` if the session was already gone
 * @throws AgbReleaseTimeoutError when it still exists after the time limit
 */
export async function releaseAndWait(
  client: AgbClient,
  sessionId: string,
  clock: Clock,
  timeoutMs = defaultReleaseTimeoutMs,
): Promise<boolean> {
  try {
    await requestRelease(client, sessionId);
  } catch (error) {
    if (error instanceof AgbNotFoundError) {
      return false;
    }
    throw error;
  }
  if (!(await waitForAgb(() => isReleased(client, sessionId), { ...releaseLooks, timeoutMs }, clock))) {
    throw new AgbReleaseTimeoutError(sessionId, timeoutMs);
  }
  return true;
}

async function isReleased(client: AgbClient, sessionId: string): Promise<boolean> {
  const status = await unlessGone(getSessionStatus(client, sessionId));
  return status === undefined || isReleasedStatus(status);
}
