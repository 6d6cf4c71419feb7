import { isLoopback } from "./endpoint";

/** An HTTP proxy that the environment names. */
export interface HttpProxy {
  readonly host: string;
  readonly port: number;
  /** Whether the proxy itself is spoken to over TLS. */
  readonly tls: boolean;
  /** Value of the header `Proxy-Authorization`; secret. */
  readonly authorization: string | undefined;
  /** What messages call it: its URL without user name and password, and the variable that names it. */
  readonly label: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds the proxy for an endpoint, by the variables that curl and most tools read: `HTTPS_PROXY` for an endpoint with
 * TLS, `HTTP_PROXY` for one without, also in lower case, which wins. Where `HTTPS_PROXY` is not set, `HTTP_PROXY` serves
 * for both. `NO_PROXY` lists hosts, with all their subdomains, that are reached directly; `*` means all. This machine is
 * always reached directly.
 *
 * @param baseUrl base URL of the endpoint, see `normaliseEndpoint`
 * @param environment the environment's variables
 * @returns `undefined` when the endpoint is reached directly
 * @throws Error that names the variable and says what is wrong with its value, without showing the value
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

/** An empty variable counts as not set, but hides the one in capitals: so users turn a proxy off for one command. */
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
        "Name an HTTP proxy, or list the endpoint's host in NO_PROXY to go without one",
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

/** A user name or password as it was before it was put into a URL; one that holds a bare `%` is left as it is. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
