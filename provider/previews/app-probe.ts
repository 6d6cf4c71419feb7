import { explainConnectionFailure } from "../api/connection-failure";
import { ConnectionPool } from "../api/connection-pool";
import type { KnownSecret } from "../api/known-secrets";
import { type Progress, routeTo } from "../api/open-socket";
import { cleanerFor } from "../api/outside-text";
import { findProxy } from "../api/proxy";

/** How to reach an app. */
export interface ProbeOptions {
  /** Limit in milliseconds. */
  readonly timeoutMs: number;
  /** Ends the question when it is aborted. */
  readonly stop: AbortSignal;
  /** The environment's variables. Some name a proxy, see `findProxy`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a question found. The reasons hold no part of the link. */
export type Probe =
  | { readonly result: "healthy" }
  /** Something answered HTTP: the app, or what stands before it. */
  | { readonly result: "unhealthy"; readonly reason: string }
  | { readonly result: "unreachable"; readonly reason: string };

/** Why a question has no answer that was ended by a request to stop. */
export const stoppedReason = "the job was stopped before the app answered";

const maximumRedirects = 5;
const longestReason = 300;

/**
 * Asks an app once, through its link, whether it is healthy. It is when it answers with a status from 200 to 299. Redirects
 * on the host of the link are followed, because AGB's gateway may set a cookie this way. The app gets no key, and no redirect
 * leads to another host.
 *
 * @param link what AGB returned for the app's port; it holds a token
 * @param healthPath see `isHealthPath`
 */
export async function probeApp(link: string, healthPath: string, options: ProbeOptions): Promise<Probe> {
  const start = addressOf(link, healthPath);
  if (start === undefined) {
    return { result: "unreachable", reason: "AGB returned a link that is no web address" };
  }
  const clean = cleanerFor(secretsOf(new URL(link)));
  const signal = AbortSignal.any([AbortSignal.timeout(options.timeoutMs), options.stop]);
  const progress: Progress = { step: "starting" };
  try {
    const reason = await followRedirects(start, signal, progress, options);
    return reason === undefined ? { result: "healthy" } : { result: "unhealthy", reason };
  } catch (error) {
    const reason = options.stop.aborted
      ? stoppedReason
      : signal.aborted
        ? `there was no answer within ${options.timeoutMs} ms. Last step: ${progress.step}`
        : explainConnectionFailure(error, progress.step === requesting).reason;
    return { result: "unreachable", reason: clean(reason, longestReason) };
  }
}

const requesting = "waiting for the app's answer";

/** @returns `undefined` when the answer is healthy; otherwise why not */
async function followRedirects(
  start: URL,
  signal: AbortSignal,
  progress: Progress,
  { environment }: ProbeOptions,
): Promise<string | undefined> {
  const cookies = new Map<string, string>();
  let address = start;
  for (let redirects = 0; ; redirects++) {
    const { status, location, setCookies } = await request(address, cookies, signal, progress, environment);
    if (status >= 200 && status <= 299) {
      return undefined;
    }
    if (status < 300 || status > 399 || location === undefined || !URL.canParse(location, address.href)) {
      return `it answered HTTP ${status}`;
    }
    const next = new URL(location, address);
    if (next.origin !== start.origin) {
      const where = next.hostname === start.hostname ? "another port or protocol" : "another host";
      return `it answered HTTP ${status}, a redirect to ${where}`;
    }
    if (redirects === maximumRedirects) {
      return `it redirected more than ${maximumRedirects} times`;
    }
    for (const [name, value] of setCookies) {
      cookies.set(name, value);
    }
    address = next;
  }
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly setCookies: readonly (readonly [name: string, value: string])[];
}

async function request(
  address: URL,
  cookies: ReadonlyMap<string, string>,
  signal: AbortSignal,
  progress: Progress,
  environment: ProbeOptions["environment"],
): Promise<Answer> {
  const { origin } = address;
  const pool = new ConnectionPool(origin, routeTo(origin, findProxy(origin, environment)));
  try {
    return await pool.use(signal, progress, async (connection) => {
      progress.step = requesting;
      const { statusCode, headers, body } = await connection.request({
        path: `${address.pathname}${address.search}`,
        method: "GET",
        headers: {
          "user-agent": "pulumi-agb",
          ...(cookies.size > 0 && { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") }),
        },
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      // The body may be endless. It ends with its connection, which the next line of the caller closes.
      body.on("error", () => {});
      body.destroy();
      return { status: statusCode, location: first(headers["location"]), setCookies: cookiesIn(headers["set-cookie"]) };
    });
  } finally {
    await pool.close();
  }
}

function cookiesIn(header: string | string[] | undefined): (readonly [string, string])[] {
  return [header ?? []].flat().flatMap((line) => {
    const [, name, value = ""] = /^\s*([^=;\s]+)=([^;]*)/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value.trim()] as const];
  });
}

function first(header: string | string[] | undefined): string | undefined {
  return [header ?? []].flat()[0];
}

/** The address of the health check. The link keeps its own path and query, where its token is. */
function addressOf(link: string, healthPath: string): URL | undefined {
  if (!/^https?:/i.test(link) || !URL.canParse(link)) {
    return undefined;
  }
  const address = new URL(link);
  const wanted = new URL(healthPath, "http://app.invalid");
  address.pathname = address.pathname.replace(/\/+$/, "") + wanted.pathname;
  address.search = [address.search, wanted.search]
    .map((part) => part.replace(/^\?/, ""))
    .filter(Boolean)
    .join("&");
  address.hash = "";
  return address;
}

/** Nobody knows which part of a link is its token, so no part is shown. */
function secretsOf(link: URL): KnownSecret[] {
  const { href, host, hostname, pathname, searchParams, username, password } = link;
  const parts = [...pathname.split("/"), ...searchParams.values(), ...hostname.split("."), username, password];
  const hide = (value: string, mask: string): KnownSecret => ({ value, mask, insideWords: value.length >= 8 });
  return [
    hide(href, "[link]"),
    hide(host, "[host of the link]"),
    hide(hostname, "[host of the link]"),
    ...parts.filter(({ length }) => length >= 4).map((value) => hide(value, "[link]")),
  ];
}
