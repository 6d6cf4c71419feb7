import { isLoopback } from "./endpoint";

/** An HTTP proxy that the environment names. */
export interface HttpProxy {
  readonly host: string;
  readonly port: number;
  /** Whether the connection to the proxy itself uses TLS. */
  readonly tls: boolean;
  /** Value of the header `Proxy-Authorization`; secret. */
  readonly authorization: string | undefined;
  /** Its name in messages: its URL without user name and password, and the variable that it comes from. */
  readonly label: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds the proxy for an endpoint in the variables that curl and most tools read: `HTTPS_PROXY` for an endpoint with TLS,
 * `HTTP_PROXY` for one without. The same names in lower case win. If `HTTPS_PROXY` is not set, `HTTP_PROXY` is used for
 * both. `NO_PROXY` lists hosts that are reached directly, with all their subdomains; `*` means all. This machine is
 * always reached directly.
 *
 * @param baseUrl base URL of the endpoint, see `normaliseEndpoint`
 * @param environment the environment's variables
 * @returns `undefined` if the endpoint is reached directly
 * @throws Error that names the variable and what is wrong with its value, but does not show the value
 */
export function findProxy(baseUrl: string, environment: Environment): HttpProxy | undefined {
  const { protocol } = new URL(baseUrl);
  if (isLoopback(baseUrl) || isExempt(baseUrl, firstSet(["no_proxy", "NO_PROXY"], environment)?.value ?? "")) {
    return undefined;
  }
  const ofHttps = protocol === "https:" ? firstSet(["https_proxy", "HTTPS_PROXY"], environment) : undefined;
  const found = ofHttps ?? firstSet(["http_proxy", "HTTP_PROXY"], environment);
  return found && parseProxy(found.value, found.name);
}

/** An empty variable means no proxy, and hides the one in capitals. Users turn a proxy off for one command this way. */
function firstSet(names: readonly string[], environment: Environment): { name: string; value: string } | undefined {
  const name = names.find((each) => environment[each] !== undefined);
  const value = name && environment[name]?.trim();
  return name && value ? { name, value } : undefined;
}

function parseProxy(value: string, variable: string): HttpProxy {
  const absolute = value.includes("://") ? value : `http://${value}`;
  if (!URL.canParse(absolute)) {
    throw new Error(`${variable} cannot be used: it is neither a host, host:port, nor a URL`);
  }
  const { protocol, hostname, port, username, password, host } = new URL(absolute);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new Error(
      `${variable} cannot be used: only proxies with http:// or https:// are supported, not ${protocol}//. ` +
        "Use an HTTP proxy, or list the endpoint's host in NO_PROXY to bypass the proxy",
    );
  }
  const tls = protocol === "https:";
  const credentials = `${decode(username)}:${decode(password)}`;
  return {
    host: withoutBrackets(hostname),
    port: Number(port) || (tls ? 443 : 80),
    tls,
    authorization: credentials === ":" ? undefined : `Basic ${Buffer.from(credentials).toString("base64")}`,
    label: `the proxy ${protocol}//${host} (${variable})`,
  };
}

function isExempt(baseUrl: string, list: string): boolean {
  const { protocol, hostname, port } = new URL(baseUrl);
  const host = withoutBrackets(hostname);
  const ownPort = port || (protocol === "https:" ? "443" : "80");
  return list.split(/[\s,]+/).some((entry) => {
    const [, name = "", entryPort = ownPort] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? ["", entry];
    const exempt = withoutBrackets(name.replace(/^\*?\./, "").toLowerCase());
    if (exempt === "" || entryPort !== ownPort) {
      return false;
    }
    return exempt === "*" || host === exempt || host.endsWith(`.${exempt}`);
  });
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/** Decodes a user name or password from a URL. One that contains a bare `%` is returned unchanged. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
