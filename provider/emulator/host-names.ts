// Where the emulator listens, and which host names it answers to.

import { isIP } from "node:net";
import { hostname } from "node:os";
import { hostRefused } from "./failures";

/** Whether only this computer can reach an address or name. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Checks the Host header. A web page elsewhere may have pointed its own name to this computer (DNS rebinding), so the
 * emulator answers only to names that nobody else can own: those of loopback and, when other machines may connect, IP
 * addresses, this computer's name and the option `host`.
 *
 * @param header the Host header. Its port may be any, because ports can be forwarded.
 * @param listensOn the option `host`
 * @throws ApiFailure when the header names another host
 */
export function checkHost(header: string | undefined, listensOn: string): void {
  const name = (header ?? "")
    .toLowerCase()
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1");
  const isOwn = isIP(name) > 0 || [hostname().toLowerCase(), listensOn.toLowerCase()].includes(name);
  if (!isLoopbackHost(name) && (isLoopbackHost(listensOn) || !isOwn)) {
    throw hostRefused();
  }
}

/** The address at which this computer reaches an emulator that listens on `host`, without a trailing slash. */
export function baseUrl(host: string, port: number): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${isIP(reachable) === 6 ? `[${reachable}]` : reachable}:${port}`;
}
