import { z } from "zod";
import type { AgbClient, Operation } from "./client";
import { sessionGoneCodes } from "./gone";

/**
 * The ports of a session that AGB links to. Comments in AGB's tests name them, and the client of its sibling platform refuses
 * all others.
 */
export const linkedPorts = { first: 30_100, last: 30_199 } as const;

/** Whether AGB links to a port of a session. */
export function isLinkedPort(port: unknown): port is number {
  return Number.isInteger(port) && (port as number) >= linkedPorts.first && (port as number) <= linkedPorts.last;
}

const linkOperation: Operation<{ sessionId: string; port: number; protocol: "https" | "wss" }, string> = {
  name: "getLink",
  method: "GET",
  path: "/internet/getLink",
  idempotent: true,
  goneCodes: sessionGoneCodes,
  innerVerdict: false,
  parts: ({ sessionId, port, protocol }) => ({ query: { sessionId, protocolType: protocol, port: String(port) } }),
  reply: z.looseObject({ data: z.looseObject({ url: z.string().min(1) }) }).transform(({ data }) => data.url),
};

const resourceUrlOperation: Operation<{ sessionId: string }, string> = {
  name: "getMcpResource",
  method: "POST",
  path: "/mcp/getMcpResource",
  idempotent: true,
  goneCodes: sessionGoneCodes,
  innerVerdict: false,
  parts: ({ sessionId }) => ({ body: { sessionId } }),
  reply: z
    .looseObject({ data: z.looseObject({ resourceUrl: z.string().min(1) }) })
    .transform(({ data }) => data.resourceUrl),
};

/**
 * Asks for an address of a port of a session. It holds a token, so it is secret. AGB does not say how long it is valid.
 *
 * @param port see `linkedPorts`
 * @throws AgbNotFoundError when the session is gone
 */
export function getLink(
  client: AgbClient,
  sessionId: string,
  port: number,
  protocol: "https" | "wss" = "https",
): Promise<string> {
  return client.call(linkOperation, { sessionId, port, protocol });
}

/**
 * Asks for the address at which a person sees the session in a browser. It holds an access code, so it is secret. It is
 * another one at each call, and valid for 30 minutes.
 *
 * @throws AgbNotFoundError when the session is gone
 */
export function getResourceUrl(client: AgbClient, sessionId: string): Promise<string> {
  return client.call(resourceUrlOperation, { sessionId });
}
