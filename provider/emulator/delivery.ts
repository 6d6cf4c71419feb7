// How a reply reaches its client: whole, or as a fault rule says.

import type { ServerResponse } from "node:http";
import { failureReply, jsonReply, type Reply } from "./envelope";
import type { FaultStep } from "./faults";

/** What a client gets: a reply, a reset connection, or the first half of a reply's body and then the connection's end. */
export type Delivery = Reply | "reset" | { readonly truncated: Reply };

/** What reaches the client instead of a reply. */
export function faultyDelivery(answer: NonNullable<FaultStep["answer"]>, requestId: string, reply: Reply): Delivery {
  if (answer === "reset") {
    return "reset";
  }
  if (answer === "truncate") {
    return { truncated: reply };
  }
  const { status, body } = answer;
  const base =
    body === undefined
      ? failureReply(requestId, { status, code: "InjectedFault", message: `Injected fault: HTTP ${status}.` })
      : typeof body === "string"
        ? plainReply(requestId, status, body)
        : jsonReply(status, requestId, body);
  const given = Object.entries(answer.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return { ...base, headers: { ...base.headers, ...Object.fromEntries(given) } };
}

/** The HTTP status that a client sees; 0 when the connection is reset. */
export function statusOf(delivery: Delivery): number {
  if (delivery === "reset") {
    return 0;
  }
  return "truncated" in delivery ? delivery.truncated.status : delivery.status;
}

/**
 * Sends it.
 *
 * @param headers sent with every reply, unless the reply has headers of these names
 * @throws Error when a header cannot be sent
 */
export function deliver(outgoing: ServerResponse, delivery: Delivery, headers: Readonly<Record<string, string>>): void {
  if (delivery === "reset") {
    outgoing.socket?.resetAndDestroy();
    return;
  }
  const isTruncated = "truncated" in delivery;
  const reply = isTruncated ? delivery.truncated : delivery;
  const body = Buffer.from(reply.body);
  outgoing.writeHead(reply.status, { "content-length": String(body.length), ...headers, ...reply.headers });
  if (isTruncated) {
    outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => outgoing.destroy());
  } else {
    outgoing.end(body);
  }
}

function plainReply(requestId: string, status: number, body: string): Reply {
  const contentType = /^\s*</.test(body) ? "text/html;charset=utf-8" : "text/plain;charset=utf-8";
  return { status, headers: { "content-type": contentType, "x-request-id": requestId }, body };
}
