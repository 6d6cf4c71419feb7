import type { AgbClient } from "../api/client";
import {
  AgbApiError,
  AgbAuthenticationError,
  AgbNetworkError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "../api/errors";
import { certainlyHadNoEffect, isTransient, retryDelayMs } from "../api/retry";
import { createSession, getSession, listSessions, type SessionIdentity, type SessionRequest } from "../api/sessions";
import { AgbUncertainCreateError } from "./errors";
import { ownershipKeys } from "./ownership";
import { type Clock, waitUntil } from "./wait";

const maximumTries = 3;

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
 * @throws AgbApiError when AGB refuses
 * @throws AgbUncertainCreateError when AGB could not be asked whether the session was made
 */
export async function createExactlyOnce(
  client: AgbClient,
  request: SessionRequest,
  clock: Clock,
): Promise<SessionIdentity> {
  const createToken = request.labels[ownershipKeys.create];
  if (createToken === undefined) {
    throw new Error(`a create needs the label ${ownershipKeys.create}`);
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await createSession(client, request);
    } catch (error) {
      if (mayHaveTakenEffect(error)) {
        const found = await findByCreateToken(client, createToken, clock, error);
        if (found !== undefined) {
          return found;
        }
      }
      if (!worthAnotherTry(error) || attempt >= maximumTries) {
        throw error;
      }
      await clock.sleep(retryDelayMs(attempt, error, Math.random()));
    }
  }
}

/** Whether a session may exist although the create failed. */
function mayHaveTakenEffect(error: unknown): boolean {
  if (error instanceof AgbApiError) {
    return error.sessionId !== undefined || error.status === 408 || error.status >= 500;
  }
  return !certainlyHadNoEffect(error);
}

/** Whether a create that certainly made nothing may be made again. */
function worthAnotherTry(error: unknown): boolean {
  return isTransient(error) || error instanceof AgbTimeoutError || error instanceof AgbUnexpectedReplyError;
}

async function findByCreateToken(
  client: AgbClient,
  createToken: string,
  clock: Clock,
  cause: unknown,
): Promise<SessionIdentity | undefined> {
  let sessionId: string | undefined;
  try {
    await waitUntil(
      async () => {
        for await (const session of listSessions(client, { [ownershipKeys.create]: createToken })) {
          sessionId = session.sessionId;
          return true;
        }
        return false;
      },
      lookup,
      clock,
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AgbUncertainCreateError(createToken, reason, { cause });
  }
  if (sessionId === undefined) {
    return undefined;
  }
  try {
    return await getSession(client, sessionId);
  } catch (error) {
    if (
      error instanceof AgbAuthenticationError ||
      error instanceof AgbNetworkError ||
      error instanceof AgbTimeoutError
    ) {
      // The id is what must not be lost; the rest can be read later.
      return { sessionId };
    }
    throw error;
  }
}
