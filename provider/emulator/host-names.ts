// Where the emulator listens, and by which names it may be called there.

import { isIP } from "node:net";
import { hostname } from "node:os";
import { hostRefused } from "./failures";

/** Whether an address or name can be reached from this computer only. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * A web page elsewhere may have bent its own name to this computer, so only names are answered that nobody else can own:
 * those of loopback and, when others may connect, addresses in digits, this computer's name and the one listened on.
 *
 * @param header the Host header; its port may be any, as it may be forwarded
 * @param listensOn the option `host`
 * @throws ApiFailure when it names another host
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

/** The address at which this computer reaches an emulator that listens on `host`, without a slash at the end. */
export function baseUrl(host: string, port: number): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${isIP(reachable) === 6 ? `[${reachable}]` : reachable}:${port}`;
}
