// The console and its endpoints under /_emulator/, on the same port as AGB's operations. Requests to them are not in the
// journal, which shows what AGB's clients do.
//
// The path of a request: access.ts (host, origin, key) -> page.ts, events.ts or endpoints.ts -> view.ts and the emulator.

import type { IncomingMessage, ServerResponse } from "node:http";
import { failureReply, jsonReply, type Reply } from "../envelope";
import { ApiFailure, unknownAction } from "../failures";
import { newRequestId, randomString } from "../identifiers";
import { ClientGone, overBodyLimit, parseBody, parseTarget, readBody } from "../incoming";
import { type AccessRules, checkKey, checkOrigin, mayOpenPage } from "./access";
import { findEndpoint } from "./endpoints";
import { streamEvents } from "./events";
import { type PageFile, pageHeaders, readPage, readPageFile } from "./page";
import type { AdminSubject } from "./view";

/** What the console needs from its emulator. */
export interface AdminContext extends AdminSubject, Omit<AccessRules, "pageToken"> {
  /** Ends all event streams. */
  readonly closing: AbortSignal;
}

const root = "/_emulator";

/** Whether a request's target belongs to the console. */
export function isAdminTarget(target: string | undefined): boolean {
  const { path } = parseTarget(target ?? "/");
  return path === root || path.startsWith(`${root}/`);
}

/** Creates the function that answers the console's requests. It never rejects. */
export function adminHandler(context: AdminContext) {
  const rules: AccessRules = { ...context, pageToken: randomString(40) };
  return async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const requestId = newRequestId();
    let reply: Reply | "streams";
    try {
      reply = await answer(incoming, outgoing, requestId, context, rules);
    } catch (error) {
      if (error instanceof ClientGone) {
        outgoing.destroy();
        return;
      }
      reply = failureReply(
        requestId,
        error instanceof ApiFailure
          ? error
          : { status: 500, code: "InternalError", message: `Emulator failure: ${String(error)}` },
      );
    }
    if (reply !== "streams") {
      outgoing.shouldKeepAlive &&= incoming.complete && !context.closing.aborted;
      const length = { "content-length": String(Buffer.byteLength(reply.body)) };
      outgoing.writeHead(reply.status, { ...pageHeaders, ...length, ...reply.headers }).end(reply.body);
    }
  };
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  requestId: string,
  context: AdminContext,
  rules: AccessRules,
): Promise<Reply | "streams"> {
  const method = incoming.method ?? "GET";
  const { path, query } = parseTarget(incoming.url ?? "/");
  const body = await readBody(incoming);
  checkOrigin(incoming, rules);
  if (path === root) {
    return { status: 308, headers: { location: `${root}/` }, body: "" };
  }
  const name = path.slice(root.length + 1);
  if (method === "GET" && name === "") {
    return mayOpenPage(incoming, rules) ? fileReply(readPage(rules.pageToken)) : askForPassword;
  }
  const file = method === "GET" ? readPageFile(name) : undefined;
  if (file !== undefined) {
    return fileReply(file);
  }
  checkKey(incoming, query["token"], rules);
  if (method === "GET" && name === "events") {
    for (const [header, value] of Object.entries(pageHeaders)) {
      outgoing.setHeader(header, value);
    }
    streamEvents(outgoing, context, context.closing);
    return "streams";
  }
  const found = findEndpoint(method, name);
  if (found === undefined) {
    throw unknownAction(method, path);
  }
  if (body === undefined) {
    throw overBodyLimit();
  }
  return jsonReply(200, requestId, await found.endpoint.handle({ id: found.id, body: parseBody(body) }, context));
}

// A browser asks its user, and then sends the key with all requests of the page.
const askForPassword: Reply = {
  status: 401,
  headers: { "www-authenticate": 'Basic realm="AGB emulator: any name, an API key as the password"' },
  body: "",
};

function fileReply({ contentType, content }: PageFile): Reply {
  return { status: 200, headers: { "content-type": contentType }, body: content };
}
