/**
 * What owning a session means: make it once, see how it is, set its labels and read them back, release it and wait.
 * Uses the API layer, knows nothing of Pulumi and keeps no state.
 */
import type { AgbClient } from "../api/client";
import { AgbAuthenticationError, AgbNotFoundError } from "../api/errors";
import { getLabels, type Labels, setLabels } from "../api/labels";
import {
  confirmSessionIsAlive,
  getSessionStatus,
  releaseSession as requestRelease,
  type SessionIdentity,
  type SessionRequest,
} from "../api/sessions";
import { createExactlyOnce } from "./create-once";
import { AgbReleaseTimeoutError } from "./errors";
import { newCreateToken, ownershipKeys } from "./ownership";
import { type Clock, waitUntil } from "./wait";

/** A session as it was made, with the labels it carries. */
export interface CreatedSession extends SessionIdentity {
  readonly labels: Labels;
}

/** A living session as AGB sees it. */
export interface ObservedSession {
  readonly labels: Labels;
}

// Known final states; DELETING is on the way and an unknown state counts as alive.
const releasedStatuses = new Set(["FINISH", "DELETED"]);

/**
 * How long a release may take, in milliseconds, and how often to look: AGB's SDK also gives up after five minutes, but
 * sleeps a whole second before each look.
 */
export const releasePatience = { timeoutMs: 300_000, firstDelayMs: 100, longestDelayMs: 1_000 };

/**
 * Makes exactly one session, which carries the given labels and a create label of its own.
 *
 * @throws AgbApiError when AGB refuses
 * @throws AgbUncertainCreateError when the reply was lost and AGB could not be asked afterwards
 */
export async function createOwnedSession(
  client: AgbClient,
  request: SessionRequest,
  clock: Clock,
): Promise<CreatedSession> {
  const createToken = newCreateToken(new Date(clock.now()));
  const labels = { ...request.labels, [ownershipKeys.create]: createToken };
  const identity = await createExactlyOnce(client, { ...request, labels }, clock);
  return { ...identity, labels };
}

/**
 * Sees how a session is: two calls side by side.
 *
 * @returns `undefined` when it is gone, which only AGB's own code can say
 * @throws AgbError of any other kind: nothing is known then
 */
export async function observeSession(client: AgbClient, sessionId: string): Promise<ObservedSession | undefined> {
  const [alive, labels] = await Promise.allSettled([
    confirmSessionIsAlive(client, sessionId),
    getLabels(client, sessionId),
  ]);
  if (alive.status === "fulfilled" && labels.status === "fulfilled") {
    return { labels: labels.value };
  }
  const failures = [alive, labels].filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason);
  // An authentication failure beside a "not found" means that the key is in doubt, and so is the "not found".
  const refusal = failures.find((failure) => failure instanceof AgbAuthenticationError);
  if (refusal === undefined && failures.some((failure) => failure instanceof AgbNotFoundError)) {
    return undefined;
  }
  throw refusal ?? failures[0];
}

/**
 * Sets the labels of a session and reads them back, because AGB's documents disagree on whether a set replaces.
 *
 * @returns the labels that the session has now
 * @throws AgbNotFoundError when the session is gone
 */
export async function replaceLabels(client: AgbClient, sessionId: string, labels: Labels): Promise<Labels> {
  await setLabels(client, sessionId, labels);
  return getLabels(client, sessionId);
}

/**
 * Releases a session and waits until it is gone. One that is gone already is a success.
 *
 * @throws AgbReleaseTimeoutError when it is still there after `releasePatience.timeoutMs`
 */
export async function releaseAndWait(client: AgbClient, sessionId: string, clock: Clock): Promise<void> {
  try {
    await requestRelease(client, sessionId);
  } catch (error) {
    if (error instanceof AgbNotFoundError) {
      return;
    }
    throw error;
  }
  if (!(await waitUntil(() => isReleased(client, sessionId), releasePatience, clock))) {
    throw new AgbReleaseTimeoutError(sessionId, releasePatience.timeoutMs);
  }
}

async function isReleased(client: AgbClient, sessionId: string): Promise<boolean> {
  try {
    return releasedStatuses.has(await getSessionStatus(client, sessionId));
  } catch (error) {
    if (error instanceof AgbNotFoundError) {
      return true;
    }
    throw error;
  }
}
