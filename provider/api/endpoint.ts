/** Where AGB answers when nothing else is configured. */
export const defaultEndpoint = "sdk-api.agb.cloud";

/**
 * Turns an endpoint as users write it into a base URL, by the rule of AGB's own SDKs: `http://` and `https://` are
 * kept, anything else means HTTPS. A path prefix is kept; slashes at the end are dropped.
 *
 * @returns base URL without a slash at the end
 * @throws Error that says what is wrong with the text, without naming where it came from
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
    throw new Error("it holds a user name or password; AGB takes the API key only");
  }
  if (url.search !== "" || url.hash !== "") {
    throw new Error("it holds a query or a fragment");
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** Begins the name of an emulator that has an id. */
const emulatorPrefix = "local:";

/**
 * Name of the service behind a base URL, to tell whether two runs spoke with the same one: `undefined` for AGB's default
 * endpoint, `local:ID` for an emulator that keeps its sessions and so may move to another port, else the base URL.
 *
 * @param emulatorId what the service said in its replies, see `AgbClient.emulatorId`
 */
export function serviceName(baseUrl: string, emulatorId: string | undefined): string | undefined {
  if (baseUrl === normaliseEndpoint(defaultEndpoint)) {
    return undefined;
  }
  return emulatorId === undefined ? baseUrl : `${emulatorPrefix}${emulatorId}`;
}

/**
 * Whether a name from a state is that of the service behind a base URL. Only one program can have a port, so the same
 * base URL is the same service, or one that has taken its place.
 *
 * @param name from `serviceName`; earlier versions had `local` for everything on this machine
 */
export function isSameService(name: string | undefined, baseUrl: string, emulatorId: string | undefined): boolean {
  return name === serviceName(baseUrl, emulatorId) || name === baseUrl || (name === "local" && isLoopback(baseUrl));
}

/** A service's name as people understand it. */
export function describeService(name: string | undefined): string {
  if (name === undefined) {
    return defaultEndpoint;
  }
  if (name === "local") {
    return "a local emulator";
  }
  return isEmulatorName(name) ? `the local emulator with id ${name.slice(emulatorPrefix.length)}` : name;
}

/** Whether a name is that of an emulator that keeps its sessions in a state file. */
export function isEmulatorName(name: string | undefined): boolean {
  return name?.startsWith(emulatorPrefix) ?? false;
}

/** Tells whether a base URL leads to this machine, which no proxy should be asked for. */
export function isLoopback(baseUrl: string): boolean {
  const host = new URL(baseUrl).hostname;
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}
