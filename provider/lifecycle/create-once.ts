import type { AgbClient } from "../api/client";
import {
  AgbApiError,
  AgbAuthenticationError,
  AgbError,
  AgbNotFoundError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "../api/errors";
import { getLabels } from "../api/labels";
import { certainlyHadNoEffect, isTransient, retryDelayMs } from "../api/retry";
import {
  createSession,
  getSession,
  listSessions,
  releaseSession,
  type SessionIdentity,
  type SessionRequest,
} from "../api/sessions";
import { AgbUncertainCreateError } from "./errors";
import { hasLabel } from "./labels";
import { ownershipKeys } from "./ownership";
import { unlessGone } from "./unless-gone";
import { type Clock, waitUntil } from "./wait";

const maximumTries = 3;

// AGB may ask for any time; nobody waits longer than this for one session.
const longestPauseMs = 60_000;

/**
 * How long to look for a session whose create reply was lost before it counts as not made. AGB may need a moment until
 * a label can be filtered by: the list test of its Python SDK waits 5 seconds first.
 */
const lookup = { timeoutMs: 8_000, firstDelayMs: 250, longestDelayMs: 2_000 };

/**
 * Makes exactly one session. createSession has no idempotency token, so after a lost reply the session is looked for
 * by its create label, which the request itself set; only when it is not there is the create made again.
 *
 * @param request its labels hold the create label
 * @param searcher client for what follows a lost reply: where the time for the create is over, the search still has
 *   its own, or a session that was made would be lost
 * @throws AgbApiError when AGB refuses
 * @throws AgbUncertainCreateError when AGB could not be asked whether the session was made, or may still make it
 */
export async function createExactlyOnce(
  client: AgbClient,
  request: SessionRequest,
  clock: Clock,
  searcher: AgbClient = client,
): Promise<SessionIdentity> {
  const createToken = request.labels[ownershipKeys.create];
  if (createToken === undefined) {
    throw new Error(`a create needs the label ${ownershipKeys.create}`);
  }
  let twinIsPossible = false;
  for (let attempt = 1; ; attempt++) {
    try {
      const made = await createSession(client, request);
      if (twinIsPossible) {
        await releaseTwins(searcher, createToken, made.sessionId);
      }
      return made;
    } catch (error) {
      if (mayHaveTakenEffect(error)) {
        const sessionId = await findByCreateToken(searcher, createToken, clock, error);
        if (sessionId !== undefined) {
          return identify(searcher, sessionId);
        }
        twinIsPossible = true;
        if (mayStillTakeEffect(error)) {
          throw new AgbUncertainCreateError(createToken, "AGB may not have finished the call yet", { cause: error });
        }
      }
      const pauseMs = retryDelayMs(attempt, error, Math.random());
      if (!worthAnotherTry(error) || attempt >= maximumTries || pauseMs > Math.min(longestPauseMs, client.leftMs())) {
        throw error;
      }
      await clock.sleep(pauseMs);
    }
  }
}

/** Whether a session may exist although the create failed. */
function mayHaveTakenEffect(error: unknown): boolean {
  if (error instanceof AgbAuthenticationError) {
    return false;
  }
  if (error instanceof AgbApiError) {
    return !error.isFromAgb || error.sessionId !== undefined || error.status === 408 || error.status >= 500;
  }
  return !certainlyHadNoEffect(error);
}

/** Whether a create whose session was not found may be made again. */
function worthAnotherTry(error: unknown): boolean {
  if (error instanceof AgbApiError && error.sessionId !== undefined) {
    // AGB named a session; that it was not found by its label does not mean that it does not exist.
    return false;
  }
  // Where no connection stands the client has tried again often enough.
  return !certainlyHadNoEffect(error) && (isTransient(error) || error instanceof AgbUnexpectedReplyError);
}

/** Whether AGB may still be at work: nobody has waited for its end, so that nothing was found proves nothing. */
function mayStillTakeEffect(error: unknown): boolean {
  return error instanceof AgbTimeoutError || (error instanceof AgbApiError && error.status === 504);
}

/**
 * Releases what an earlier try made after it had been looked for in vain. Best effort: the session that was made must
 * not be lost over it, and the sweep finds what is left.
 */
async function releaseTwins(client: AgbClient, createToken: string, sessionId: string): Promise<void> {
  try {
    for await (const twin of listSessions(client, { [ownershipKeys.create]: createToken })) {
      if (twin.sessionId !== sessionId && (await carriesToken(client, twin.sessionId, createToken))) {
        await releaseSession(client, twin.sessionId);
      }
    }
  } catch {
    return;
  }
}

async function findByCreateToken(
  client: AgbClient,
  createToken: string,
  clock: Clock,
  cause: unknown,
): Promise<string | undefined> {
  let found: string | undefined;
  const look = async () => {
    for await (const { sessionId } of listSessions(client, { [ownershipKeys.create]: createToken })) {
      if (await carriesToken(client, sessionId, createToken)) {
        found = sessionId;
        return true;
      }
    }
    return false;
  };
  try {
    await waitUntil(look, lookup, clock);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AgbUncertainCreateError(createToken, reason, { cause });
  }
  return found;
}

/**
 * Looks at the labels themselves: a list that did not filter would make someone else's session ours, to be released
 * with the stack.
 *
 * @returns `false` when the session is gone meanwhile
 * @throws Error when the session carries another token, or none
 */
async function carriesToken(client: AgbClient, sessionId: string, createToken: string): Promise<boolean> {
  const labels = await unlessGone(getLabels(client, sessionId));
  if (labels !== undefined && !hasLabel(labels, ownershipKeys.create, createToken)) {
    throw new Error("AGB listed a session that does not carry the label that was asked for");
  }
  return labels !== undefined;
}

async function identify(client: AgbClient, sessionId: string): Promise<SessionIdentity> {
  try {
    return await getSession(client, sessionId);
  } catch (error) {
    if (error instanceof AgbError && !(error instanceof AgbNotFoundError)) {
      // The id is what must not be lost; the rest can be read later.
      return { sessionId };
    }
    throw error;
  }
}
