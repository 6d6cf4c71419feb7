import { z } from "zod";
import { boundedList } from "./bounded-list";
import type { AgbClient, Operation } from "./client";
import { sessionGoneCodes } from "./gone";
import { encodeLabels, type Labels } from "./labels";
import { itemsOfPages, type Page } from "./pages";
import { type ContextMount, encodeMount } from "./sync-policy";

/** What to create a session with. */
export interface SessionRequest {
  readonly imageId: string;
  readonly labels: Labels;
  /** Idle time after which AGB releases the session, in seconds. Default: AGB's, 5 minutes. */
  readonly idleTimeoutSeconds?: number | undefined;
  /** Id of a policy created in AGB's console. */
  readonly policyId?: string | undefined;
  /** Contexts that the session mounts. Default: none. */
  readonly mounts?: readonly ContextMount[] | undefined;
}

/** The parts of a session that never change. The links and tokens that AGB also returns are left out. */
export interface SessionIdentity {
  readonly sessionId: string;
  readonly appInstanceId?: string | undefined;
  readonly resourceId?: string | undefined;
}

/** A session in a list. */
export interface ListedSession {
  readonly sessionId: string;
  /** AGB's status, such as `RUNNING`, or an empty string. */
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
  // AGB has no idempotency token, so a second call creates a second session.
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

/** A page, and how many sessions match on all pages as far as AGB says so. */
type SessionPage = Page<ListedSession> & { readonly count: number };

const listOperation: Operation<{ labels: Labels; nextToken: string | undefined; pageSize: number }, SessionPage> = {
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
      // Only for people: a strange count must not make the list fail.
      count: z.unknown().optional(),
    })
    .transform(({ data, nextToken, count }) => ({
      items: (data ?? []).map((item) => ({
        sessionId: item.sessionId,
        status: (item.sessionStatus ?? "").toUpperCase(),
      })),
      nextToken: nextToken ?? undefined,
      count: Number.isSafeInteger(count) ? (count as number) : 0,
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
 * Creates a session. Retried only if the request was certainly not sent. The caller must handle a lost reply.
 *
 * @throws AgbApiError when AGB refuses; its `sessionId` is set if the reply names a session nevertheless
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
 * Reads the status of a session in capitals, such as `RUNNING` or `DELETING`, or an empty string. Does not extend the
 * session's idle time, which AGB's idle tests rely on.
 *
 * @throws AgbNotFoundError when the session is gone
 */
export function getSessionStatus(client: AgbClient, sessionId: string): Promise<string> {
  return client.call(statusOperation, { sessionId });
}

/**
 * Confirms that a session is alive by asking for its resource, as AGB's documentation advises. Returns nothing, because
 * the reply is short-lived and secret.
 *
 * @throws AgbNotFoundError when the session is gone
 */
export function confirmSessionIsAlive(client: AgbClient, sessionId: string): Promise<void> {
  return client.call(infoOperation, { sessionId });
}

/**
 * Yields the sessions that carry all of the given labels, each once and in no particular order.
 *
 * @param labels filter; without labels, every session of the account
 * @param pageSize how many sessions to ask for with one call
 * @param onCount called after each page with the number of all matches, which is 0 when AGB does not name it
 * @throws AgbEndlessListError when the list does not end, see `itemsOfPages`
 */
export function listSessions(
  client: AgbClient,
  labels: Labels = {},
  pageSize = 100,
  onCount: (count: number) => void = () => {},
): AsyncGenerator<ListedSession> {
  return itemsOfPages({
    operation: listOperation.name,
    fetchPage: async (nextToken, leftMs) => {
      const page = await client.within(leftMs).call(listOperation, { labels, nextToken, pageSize });
      onCount(page.count);
      return page;
    },
    keyOf: ({ sessionId }) => sessionId,
  });
}

/**
 * Confirms that AGB answers and accepts the key, by listing at most one session.
 *
 * @throws AgbError a subclass that says what failed
 */
export async function confirmAccess(client: AgbClient): Promise<void> {
  await client.call(listOperation, { labels: {}, nextToken: undefined, pageSize: 1 });
}

/**
 * Asks AGB to release a session. The release itself takes a little longer.
 *
 * @throws AgbNotFoundError when the session is already gone
 */
export function releaseSession(client: AgbClient, sessionId: string): Promise<void> {
  return client.call(releaseOperation, { sessionId });
}

/**
 * Restarts a session's idle time.
 *
 * @throws AgbNotFoundError when the session is gone
 */
export function refreshIdleTime(client: AgbClient, sessionId: string): Promise<void> {
  return client.call(keepAliveOperation, { sessionId });
}
