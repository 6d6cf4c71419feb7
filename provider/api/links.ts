import { z } from "zod";
import type { AgbClient, Operation } from "./client";
import { sessionGoneCodes } from "./gone";

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
