// Reads what a client sent: the path, the query and the body. It is as tolerant as AGB's SDKs need.

import type { IncomingMessage } from "node:http";
import { type ApiFailure, bodyTooLarge, invalidRequest } from "./failures";

const bodyLimitBytes = 1024 * 1024;
// A client does not read the reply while it is still sending, so a body over the limit is read to its end, up to here.
const drainLimitBytes = 16 * bodyLimitBytes;

/** The client disconnected before its request was complete. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

/** The refusal of a body that `readBody` found to be over the limit. */
export function overBodyLimit(): ApiFailure {
  return bodyTooLarge(bodyLimitBytes);
}

/** The key in `authorization: Bearer <key>`; undefined if there is none. */
export function bearerKey(authorization: string | undefined): string | undefined {
  return /^bearer +(\S.*)$/i.exec(authorization ?? "")?.[1]?.trim();
}

/** Splits a request's target. `new URL` would not do: it reads the first part of a path that begins with `//` as a host. */
export function parseTarget(target: string): { path: string; query: Record<string, string> } {
  const withoutOrigin = target.replace(/^https?:\/\/[^/?]*/i, "");
  const queryStart = withoutOrigin.indexOf("?");
  const rawPath = queryStart < 0 ? withoutOrigin : withoutOrigin.slice(0, queryStart);
  const rawQuery = queryStart < 0 ? "" : withoutOrigin.slice(queryStart + 1);
  return {
    // The Python SDK sends a doubled slash if the endpoint ends in one.
    path: rawPath.replace(/\/{2,}/g, "/"),
    // Decodes `+`, which the TypeScript SDK sends, as a space. Of repeated parameters the last one counts.
    query: Object.fromEntries(new URLSearchParams(rawQuery)),
  };
}

/**
 * Reads the body to its end, whatever the reply will be. A connection that is closed with unread data loses the reply.
 *
 * @returns undefined when it is over the limit
 * @throws ClientGone when the connection ends first
 */
export async function readBody(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    // Leaving the loop early must not close the connection, or no reply could be sent.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      sizeBytes += (chunk as Buffer).length;
      if (sizeBytes > drainLimitBytes) {
        break;
      }
      if (sizeBytes <= bodyLimitBytes) {
        chunks.push(chunk as Buffer);
      }
    }
  } catch (error) {
    throw new ClientGone("the request ended early", { cause: error });
  }
  return sizeBytes > bodyLimitBytes ? undefined : Buffer.concat(chunks).toString("utf8");
}

/**
 * Parses the body of a POST. An empty body (TypeScript SDK) means the same as `{}` (Python SDK).
 *
 * @throws ApiFailure when it is not a JSON object
 */
export function parseBody(text: string): unknown {
  if (text.trim() === "") {
    return {};
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidRequest("body: is not valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidRequest("body: must be a JSON object");
  }
  return value;
}
