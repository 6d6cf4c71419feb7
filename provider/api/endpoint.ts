/** AGB's endpoint, used unless another one is configured. */
export const defaultEndpoint = "sdk-api.agb.cloud";

/**
 * Turns an endpoint as users write it into a base URL. As in AGB's own SDKs, `http://` and `https://` are kept, and
 * anything else means HTTPS. A path prefix is kept. Slashes at the end are dropped.
 *
 * @returns base URL without a slash at the end
 * @throws Error that says what is wrong with the string, but not which setting it came from
 */
export function normaliseEndpoint(endpoint: string): string {
  const trimmed = endpoint.trim();
  if (trimmed === "") {
    throw new Error("it is empty");
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    throw new Error(`the scheme "${scheme}" is not http or https`);
  }
  const absolute = scheme === undefined ? `https://${trimmed}` : trimmed;
  if (/\s/.test(absolute) || !URL.canParse(absolute)) {
    throw new Error("it is neither a host, host:port, nor a URL");
  }
  const url = new URL(absolute);
  if (url.username !== "" || url.password !== "") {
    throw new Error("it contains a user name or password; AGB accepts only an API key");
  }
  if (url.search !== "" || url.hash !== "") {
    throw new Error("it contains a query or a fragment");
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** Prefix of the name of an emulator that has an id. */
const emulatorPrefix = "local:";

/**
 * Returns the name of the service behind a base URL. It shows whether two runs used the same service: `undefined` for
 * AGB's default endpoint, `local:ID` for an emulator with a state file, which may move to another port, or the base URL.
 *
 * @param emulatorId the id in the service's replies, see `AgbClient.emulatorId`
 */
export function serviceName(baseUrl: string, emulatorId: string | undefined): string | undefined {
  if (baseUrl === normaliseEndpoint(defaultEndpoint)) {
    return undefined;
  }
  return emulatorId === undefined ? baseUrl : `${emulatorPrefix}${emulatorId}`;
}

/**
 * Returns whether a name from a state belongs to the service behind a base URL. The same base URL counts as the same
 * service, because only one program at a time can listen on a port.
 *
 * @param name from `serviceName`; earlier versions stored `local` for every service on this machine
 */
export function isSameService(name: string | undefined, baseUrl: string, emulatorId: string | undefined): boolean {
  return name === serviceName(baseUrl, emulatorId) || name === baseUrl || (name === "local" && isLoopback(baseUrl));
}

/** Returns a service's name in words for the user. */
export function describeService(name: string | undefined): string {
  if (name === undefined) {
    return defaultEndpoint;
  }
  if (name === "local") {
    return "a local emulator";
  }
  return isEmulatorName(name) ? `the local emulator with id ${name.slice(emulatorPrefix.length)}` : name;
}

/** Returns whether a name belongs to an emulator with a state file. */
export function isEmulatorName(name: string | undefined): boolean {
  return name?.startsWith(emulatorPrefix) ?? false;
}

/** Returns whether a base URL leads to this machine. Such an endpoint is never reached through a proxy. */
export function isLoopback(baseUrl: string): boolean {
  const host = new URL(baseUrl).hostname;
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}
