import { z } from "zod";
import { invalidRequest } from "../failures";
import { randomString } from "../identifiers";
import { imageKind } from "../image-kind";
import type { SessionRecord } from "../sessions/session";
import { nothing, requiredString, requireRunning, route, sessionParameter } from "./route";

// Test comments in AGB; the sibling platform's client enforces it.
const firstPort = 30_100;
const lastPort = 30_199;

/**
 * GET /internet/getLink: the address of a port or, without a port, of the browser of a browser session. If tools are
 * allowed, the address of a port is on this computer, and reaches a server that the session runs.
 */
export const getLink = route({
  method: "GET",
  path: "/internet/getLink",
  operation: "getLink",
  writes: false,
  query: z.object({
    sessionId: requiredString,
    protocolType: z.enum(["https", "wss", ""], { error: "must be https or wss" }).default(""),
    port: z
      .string()
      .regex(/^\d{0,9}$/, { error: "must be a whole number" })
      .transform(Number)
      // The TypeScript SDK sends 0 where the Python SDK sends nothing.
      .refine((port) => port === 0 || (port >= firstPort && port <= lastPort), {
        error: `must be a whole number from ${firstPort} to ${lastPort}`,
      })
      .default(0),
  }),
  body: nothing,
  handle({ query: { sessionId, protocolType, port } }, { sessions, settings }) {
    const record = requireRunning(sessions, sessionId);
    if (port === 0) {
      requireBrowser(record, "port: is required, because only a browser image has a link without a port");
      return { data: { url: browserUrl(record) } };
    }
    const isSocket = protocolType === "wss";
    // Without TLS, whatever the client asks for: this computer has no trusted certificate.
    const url = settings.allowExec
      ? `${isSocket ? "ws" : "http"}://127.0.0.1:${port}/`
      : `${isSocket ? "wss" : "https"}://${record.resourceId}-${port}.link.agb.invalid/?token=${randomString(40)}`;
    return { data: { url } };
  },
});

/** POST /internet/getCdpLink: the address that controls a browser (CDP). Nothing listens there. */
export const getCdpLink = route({
  method: "POST",
  path: "/internet/getCdpLink",
  operation: "getCdpLink",
  writes: false,
  query: sessionParameter,
  body: nothing,
  handle({ query }, { sessions }) {
    const record = requireRunning(sessions, query.sessionId);
    requireBrowser(record, "sessionId: only a session of a browser image has a CDP link");
    return { data: { url: browserUrl(record) } };
  },
});

/** POST /browser/init: reports that the browser was started, although there is none. */
export const initBrowser = route({
  method: "POST",
  path: "/browser/init",
  operation: "init",
  writes: false,
  query: z.object({
    sessionId: requiredString,
    persistentPath: z.string().default(""),
    browserOption: z
      .string()
      .default("")
      .refine((text) => text === "" || isJsonObject(text), { error: "must be a string with a JSON object" }),
  }),
  body: nothing,
  handle({ query }, { sessions }) {
    const record = requireRunning(sessions, query.sessionId);
    requireBrowser(record, "sessionId: only a session of a browser image can start a browser");
    return { data: { port: 9222 } };
  },
});

function requireBrowser(record: SessionRecord, message: string): void {
  if (imageKind(record.imageId) !== "browser") {
    throw invalidRequest(message);
  }
}

// A host name that can never exist, because there is no browser.
function browserUrl(record: SessionRecord): string {
  return `wss://${record.resourceId}.cdp.agb.invalid/devtools/browser?token=${randomString(40)}`;
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
