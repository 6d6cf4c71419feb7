// Who may use the console and its endpoints. The danger is not the user of this computer but a foreign web page that is open
// in a browser on it.

import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { adminKeyRequired, originRefused } from "../failures";
import { checkHost } from "../host-names";
import { bearerKey } from "../incoming";

/** What access depends on. */
export interface AccessRules {
  /** It is in the page that the emulator serves, and nowhere else. */
  readonly pageToken: string;
  /** The option `host`. */
  readonly listensOn: string;
  isKeyRequired(): boolean;
  acceptsKey(key: string): boolean;
}

/** @throws ApiFailure unless the host is the emulator's own, and the origin too if the browser sends one */
export function checkOrigin({ headers: { host, origin } }: IncomingMessage, { listensOn }: AccessRules): void {
  checkHost(host, listensOn);
  if (origin !== undefined && origin.toLowerCase().replace(/^https?:\/\//, "") !== host?.toLowerCase()) {
    throw originRefused();
  }
}

/**
 * Requires a key, or the token of the emulator's own page, if the emulator accepts only some keys.
 *
 * @param queryToken the token as a query parameter, for event streams, whose headers a page cannot set
 * @throws ApiFailure (HTTP 401)
 */
export function checkKey(incoming: IncomingMessage, queryToken: string | undefined, rules: AccessRules): void {
  const token = incoming.headers["x-emulator-token"] ?? queryToken;
  const hasToken = typeof token === "string" && isSameString(token, rules.pageToken);
  if (rules.isKeyRequired() && !hasToken && !hasKey(incoming, rules)) {
    throw adminKeyRequired();
  }
}

/** Whether the client may have the page, and with it the token. Clients on other computers need a key, if keys are required. */
export function mayOpenPage(incoming: IncomingMessage, rules: AccessRules): boolean {
  return !rules.isKeyRequired() || isLoopback(incoming.socket.remoteAddress) || hasKey(incoming, rules);
}

function hasKey({ headers: { authorization } }: IncomingMessage, rules: AccessRules): boolean {
  const key = bearerKey(authorization) ?? basicPassword(authorization);
  return key !== undefined && rules.acceptsKey(key);
}

// A browser sends this after it has asked its user for a password.
function basicPassword(authorization: string | undefined): string | undefined {
  const encoded = /^basic +([a-z0-9+/=]+)$/i.exec(authorization ?? "")?.[1];
  const decoded = encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString("utf8");
  return decoded?.includes(":") ? decoded.slice(decoded.indexOf(":") + 1) : undefined;
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address === "::1" || /^(::ffff:)?127\./.test(address));
}

function isSameString(left: string, right: string): boolean {
  const [leftBytes, rightBytes] = [Buffer.from(left), Buffer.from(right)];
  return leftBytes.length === rightBytes.length && timingSafeEqual(leftBytes, rightBytes);
}
