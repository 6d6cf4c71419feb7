import { z } from "zod";
import { boundedList } from "./bounded-list";
import type { AgbClient, Operation } from "./client";
import { sessionGoneCodes } from "./gone";
import { encodeLabels, type Labels } from "./labels";
import { itemsOfPages, type Page } from "./pages";
import { type ContextMount, encodeMount } from "./sync-policy";

/** What a session is made of. */
export interface SessionRequest {
  readonly imageId: string;
  readonly labels: Labels;
  /** Idle time after which AGB releases the session, in seconds; AGB's default (5 minutes) when absent. */
  readonly idleTimeoutSeconds?: number | undefined;
  /** Id of a policy made in AGB's console. */
  readonly policyId?: string | undefined;
  /** Contexts that the session mounts. Default: none. */
  readonly mounts?: readonly ContextMount[] | undefined;
}

/** The parts of a session that never change. The links and tokens that AGB returns beside them are left out. */
export interface SessionIdentity {
  readonly sessionId: string;
  readonly appInstanceId?: string | undefined;
  readonly resourceId?: string | undefined;
}

/** A session in a list. */
export interface ListedSession {
  readonly sessionId: string;
  /** AGB's status, such as `RUNNING`; empty when AGB told none. */
  readonly status: string;
}

const text = z.string().nullish();

const identity = z.looseObject({ sessionId: z.string().min(1), appInstanceId: text, resourceId: text }).transform(
  ({ sessionId, appInstanceId, resourceId }): SessionIdentity => ({
    sessionId,
    appInstanceId: appInstanceId || undefined,
    resourceId: resourceId || undefined,
  }),
);

const ofSession = { goneCodes: sessionGoneCodes, innerVerdict: false, method: "POST" } as const;
const inBody = ({ sessionId }: { sessionId: string }) => ({ body: { sessionId } });
const nothing = z.unknown().transform(() => undefined);

const createOperation: Operation<SessionRequest, SessionIdentity> = {
  name: "createSession",
  method: "POST",
  path: "/mcp/createSession",
  // No idempotency token exists: a second call makes a second session.
  idempotent: false,
  goneCodes: [],
  innerVerdict: true,
  parts: ({ imageId, labels, idleTimeoutSeconds, policyId, mounts = [] }) => ({
    query: { imageId },
    body: {
      labels: encodeLabels(labels),
      ...(idleTimeoutSeconds !== undefined && { timeout: idleTimeoutSeconds }),
      ...(policyId !== undefined && { mcpPolicyId: policyId }),
      ...(mounts.length > 0 && { persistenceDataList: mounts.map(encodeMount) }),
    },
    labels,
  }),
  reply: z.looseObject({ data: identity }).transform(({ data }) => data),
};

const getOperation: Operation<{ sessionId: string }, SessionIdentity> = {
  ...ofSession,
  name: "getSession",
  path: "/mcp/getSession",
  idempotent: true,
  parts: inBody,
  reply: z.looseObject({ data: identity }).transform(({ data }) => data),
};

const statusOperation: Operation<{ sessionId: string }, string> = {
  ...ofSession,
  name: "getSessionInfo",
  path: "/mcp/getSessionInfo",
  idempotent: true,
  parts: inBody,
  reply: z
    .looseObject({ data: z.looseObject({ status: text, Status: text }) })
    .transform(({ data }) => (data.status ?? data.Status ?? "").toUpperCase()),
};

const infoOperation: Operation<{ sessionId: string }, void> = {
  ...ofSession,
  name: "getMcpResource",
  path: "/mcp/getMcpResource",
  idempotent: true,
  parts: inBody,
  reply: z.looseObject({ data: z.looseObject({}) }).transform(() => undefined),
};

const listOperation: Operation<
  { labels: Labels; nextToken: string | undefined; pageSize: number },
  Page<ListedSession>
> = {
  name: "ListSession",
  method: "GET",
  path: "/sdk/ListSession",
  idempotent: true,
  goneCodes: [],
  innerVerdict: false,
  parts: ({ labels, nextToken, pageSize }) => ({
    query: {
      labels: encodeLabels(labels),
      maxResults: String(pageSize),
      ...(nextToken !== undefined && { nextToken }),
    },
    labels,
  }),
  reply: z
    .looseObject({
      data: boundedList(
        z.looseObject({ sessionId: z.string().min(1), sessionStatus: text }),
        "the page has too many sessions",
      ).optional(),
      nextToken: text,
    })
    .transform(({ data, nextToken }) => ({
      items: (data ?? []).map((item) => ({
        sessionId: item.sessionId,
        status: (item.sessionStatus ?? "").toUpperCase(),
      })),
      nextToken: nextToken ?? undefined,
    })),
};

const releaseOperation: Operation<{ sessionId: string }, void> = {
  ...ofSession,
  name: "releaseSessionAsync",
  path: "/mcp/releaseSessionAsync",
  idempotent: true,
  parts: inBody,
  reply: nothing,
};

const keepAliveOperation: Operation<{ sessionId: string }, void> = {
  ...ofSession,
  name: "refreshSessionIdleTime",
  path: "/mcp/refreshSessionIdleTime",
  idempotent: true,
  parts: ({ sessionId }) => ({ query: { sessionId } }),
  reply: nothing,
};

/**
 * Makes a session. Repeated only when the request certainly never left: a lost reply is the caller's to clear up.
 *
 * @throws AgbApiError when AGB refuses; its `sessionId` is set when the reply named a session all the same
 */
export function createSession(client: AgbClient, session: SessionRequest): Promise<SessionIdentity> {
  return client.call(createOperation, session);
}

/**
 * Reads the unchanging parts of a session.
 *
 * @throws AgbNotFoundError when the session is gone
 */
export function getSession(client: AgbClient, sessionId: string): Promise<SessionIdentity> {
  return client.call(getOperation, { sessionId });
}

/**
 * Reads the status of a session in capitals, such as `RUNNING` or `DELETING`; empty when AGB tells none. Does not
 * extend the session's idle time (AGB's idle tests rely on that).
 *
 * @throws AgbNotFoundError when the session is gone
 */
export function getSessionStatus(client: AgbClient, sessionId: string): Promise<string> {
  return client.call(statusOperation, { sessionId });
}

/**
 * Asks for the resource behind a session, the check that AGB's documentation advises for "is it still alive". What it
 * returns is short-lived and secret, so nothing of it is handed on.
 *
 * @throws AgbNotFoundError when the session is gone
 */
export function confirmSessionIsAlive(client: AgbClient, sessionId: string): Promise<void> {
  return client.call(infoOperation, { sessionId });
}

/**
 * Yields the sessions that carry all of the given labels, from every page, each session once, in no order to rely on.
 *
 * @param labels filter; none = every session of the account
 * @param pageSize how many sessions to ask for with one call
 * @throws AgbEndlessListError when the list does not end, see `itemsOfPages`
 */
export function listSessions(client: AgbClient, labels: Labels = {}, pageSize = 100): AsyncGenerator<ListedSession> {
  return itemsOfPages({
    operation: listOperation.name,
    fetchPage: (nextToken, leftMs) => client.within(leftMs).call(listOperation, { labels, nextToken, pageSize }),
    keyOf: ({ sessionId }) => sessionId,
  });
}

/**
 * Makes sure that AGB answers and accepts the key: lists one session at most.
 *
 * @throws AgbError of the kind that fits
 */
export async function confirmAccess(client: AgbClient): Promise<void> {
  await client.call(listOperation, { labels: {}, nextToken: undefined, pageSize: 1 });
}

/**
 * Asks AGB to release a session; the release itself takes a moment longer.
 *
 * @throws AgbNotFoundError when the session is already gone
 */
export function releaseSession(client: AgbClient, sessionId: string): Promise<void> {
  return client.call(releaseOperation, { sessionId });
}

/**
 * Starts a session's idle time anew.
 *
 * @throws AgbNotFoundError when the session is gone
 */
export function refreshIdleTime(client: AgbClient, sessionId: string): Promise<void> {
  return client.call(keepAliveOperation, { sessionId });
}
