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

/**
 * Name of the service behind a base URL, to tell whether two runs spoke with the same one: `undefined` for AGB's default
 * endpoint, `local` for anything on this machine, whose port means nothing, else the base URL.
 */
export function serviceName(baseUrl: string): string | undefined {
  if (isLoopback(baseUrl)) {
    return "local";
  }
  return baseUrl === normaliseEndpoint(defaultEndpoint) ? undefined : baseUrl;
}

/** Tells whether a base URL leads to this machine, which no proxy should be asked for. */
export function isLoopback(baseUrl: string): boolean {
  const host = new URL(baseUrl).hostname;
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}
