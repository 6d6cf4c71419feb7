import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { parseRetryAfterMs } from "../api/retry";
import type { MessageCode } from "../messages/message-codes";
import { ForgeError } from "./forge-error";

const maximumAttempts = 4;
const firstDelayMs = 1_000;
const longestDelayMs = 60_000;
const longestReasonLength = 300;

const retryAdvice = "Run this again later.";
const addressAdvice = "Check the address of the API and any proxy.";

/** How many entries a page holds; both forges allow this many. */
const pageSize = 100;
const maximumPages = 50;

/** Options of the calls. The defaults suit a job. */
export interface ForgeCallOptions {
  /** Limit of one try, in milliseconds. Default: 30 s. */
  readonly timeoutMs?: number;
  /** Waits before a retry. */
  readonly delay?: (milliseconds: number) => Promise<void>;
}

/** What all calls to one forge share. */
export interface ForgeEndpoint {
  /** The forge's name. */
  readonly name: string;
  /** Base URL without a slash at the end. */
  readonly apiUrl: string;
  readonly token: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Header in which the forge names a request. */
  readonly requestIdHeader: string;
  /** What the user can do about a refusal, in full sentences. */
  advise(refusal: ForgeRefusal): string | undefined;
}

/** A forge's refusal of a call. */
export interface ForgeRefusal {
  readonly status: number;
  /** The forge's own words, one line. */
  readonly reason: string;
  /** The permission that the call needs, in the forge's words. */
  readonly right: string;
}

/** One kind of call. */
export interface ForgeCall<Reply> {
  /** Path below the API's address, with its query, percent-encoded where needed. */
  readonly path: string;
  /** What is tried, such as `read pull request 12 of acme/shop`. */
  readonly attempt: string;
  /** The permission that it needs, in the forge's words. */
  readonly right: string;
  readonly schema: z.ZodType<Reply>;
}

type Method = "GET" | "POST" | "PATCH" | "PUT";

/** HTTP and JSON with a forge: time limits, pages, retries, and errors that never hold the token. */
export class ForgeHttp {
  readonly #timeoutMs: number;
  readonly #delay: (milliseconds: number) => Promise<unknown>;

  constructor(
    private readonly endpoint: ForgeEndpoint,
    options: ForgeCallOptions = {},
  ) {
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#delay = options.delay ?? sleep;
  }

  /** Reads one resource. @throws ForgeError */
  async get<Reply>(call: ForgeCall<Reply>): Promise<Reply> {
    const { json, response } = await this.#request("GET", call);
    return this.#check(call, call.schema, json, response);
  }

  /** Writes. @throws ForgeError */
  async send<Reply>(method: Exclude<Method, "GET">, call: ForgeCall<Reply>, body: unknown): Promise<Reply> {
    const { json, response } = await this.#request(method, call, body);
    return this.#check(call, call.schema, json, response);
  }

  /**
   * Reads a list page by page; the schema is that of a whole page.
   *
   * @throws ForgeError also when the list does not end: an entry that is missing from a part of it may still exist
   */
  async *pages<Reply>(call: ForgeCall<Reply>): AsyncGenerator<Reply, void> {
    const [path = "", query] = call.path.split("?");
    const first = new URLSearchParams(query);
    first.set("per_page", String(pageSize));
    let search: string | undefined = `?${first}`;
    for (let page = 1; search !== undefined; page++) {
      if (page > maximumPages) {
        throw this.#failure(call, `the list has more than ${maximumPages} pages`, "AGB708");
      }
      const { json, response } = await this.#request("GET", { ...call, path: path + search });
      yield this.#check(call, call.schema, json, response);
      search = nextSearch(response.headers.get("link"));
    }
  }

  /** The error of an attempt that the forge accepted but did not carry out in full. */
  refusal(attempt: string, reason: string, advice: string, code: MessageCode): ForgeError {
    return new ForgeError({ forge: this.endpoint.name, attempt, reason, advice, code });
  }

  async #request<Reply>(
    method: Method,
    call: ForgeCall<Reply>,
    body?: unknown,
  ): Promise<{ json: unknown; response: Response }> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#try(method, call, body);
      if ("json" in outcome) {
        return outcome;
      }
      const { error, isLimit, waitMs } = outcome;
      // A call that hit a limit did nothing, so even a write may be retried.
      const isRepeatable = isLimit || (method === "GET" && (error.status === undefined || error.status >= 500));
      const delayMs = waitMs ?? firstDelayMs * 2 ** (attempt - 1);
      if (!isRepeatable || attempt === maximumAttempts || delayMs > longestDelayMs) {
        throw error;
      }
      await this.#delay(delayMs);
    }
  }

  async #try<Reply>(
    method: Method,
    call: ForgeCall<Reply>,
    body: unknown,
  ): Promise<
    { json: unknown; response: Response } | { error: ForgeError; isLimit: boolean; waitMs: number | undefined }
  > {
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.endpoint.apiUrl + call.path, {
        method,
        headers: {
          ...this.endpoint.headers,
          "user-agent": "pulumi-agb",
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        // A redirect would turn a write into a read.
        redirect: method === "GET" ? "follow" : "manual",
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      text = await response.text();
    } catch (error) {
      return {
        error: this.#failure(call, this.#describeBreak(error), "AGB707", undefined, retryAdvice),
        isLimit: false,
        waitMs: undefined,
      };
    }
    const json = parseJson(text);
    if (response.ok && json !== undefined) {
      return { json, response };
    }
    const { status, headers } = response;
    if (response.ok) {
      return {
        error: this.#failure(call, "the reply is not JSON", "AGB708", response, addressAdvice),
        isLimit: false,
        waitMs: undefined,
      };
    }
    const waitMs = askedWaitMs(headers);
    const isLimit = status === 429 || (status === 403 && waitMs !== undefined);
    const reason = this.#withoutToken(reasonOf(json)) || response.statusText || "no reason given";
    const advice = isLimit
      ? "The rate limit is used up. Run this again in an hour."
      : this.endpoint.advise({ status, reason, right: call.right });
    const code = isLimit ? "AGB706" : codeOfStatus(status, advice !== undefined);
    return {
      error: this.#failure(call, reason, code, response, advice ?? (status >= 500 ? retryAdvice : undefined)),
      isLimit,
      waitMs,
    };
  }

  #check<Reply>(call: ForgeCall<unknown>, schema: z.ZodType<Reply>, json: unknown, response: Response): Reply {
    const parsed = schema.safeParse(json);
    if (!parsed.success) {
      const where = parsed.error.issues[0]?.path.join(".") || "as a whole";
      throw this.#failure(
        call,
        `the reply does not have the expected form (${where})`,
        "AGB708",
        response,
        addressAdvice,
      );
    }
    return parsed.data;
  }

  #failure(
    call: ForgeCall<unknown>,
    reason: string,
    code: MessageCode,
    response?: Response,
    advice?: string,
  ): ForgeError {
    const requestId = response?.headers.get(this.endpoint.requestIdHeader) ?? undefined;
    return new ForgeError({
      forge: this.endpoint.name,
      attempt: call.attempt,
      reason,
      status: response?.status,
      requestId: requestId && this.#withoutToken(oneLine(requestId)),
      advice,
      code,
    });
  }

  #describeBreak(error: unknown): string {
    const { name, cause = error } = error as { name?: unknown; cause?: unknown };
    if (name === "TimeoutError") {
      return `there was no answer within ${this.#timeoutMs} ms`;
    }
    const { code, message } = cause as { code?: unknown; message?: unknown };
    const details = this.#withoutToken(oneLine(String(code ?? message ?? cause)));
    return `the connection to ${this.endpoint.apiUrl} failed: ${details}`;
  }

  #withoutToken(text: string): string {
    return text.replaceAll(this.endpoint.token, "[token]");
  }
}

/** @param isExplained whether the forge's words say what kind of refusal it is */
function codeOfStatus(status: number, isExplained: boolean): MessageCode {
  if (status >= 500) {
    return "AGB707";
  }
  if (status >= 300 && status < 400) {
    return "AGB709";
  }
  const refusals: Readonly<Partial<Record<number, MessageCode>>> = {
    401: "AGB703",
    403: "AGB704",
    404: "AGB705",
    410: "AGB710",
  };
  return (isExplained && refusals[status]) || "AGB712";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** GitHub: `message`. GitLab: `message`, which may be an object, or `error`. */
function reasonOf(json: unknown): string {
  const { message, error, error_description: description } = (json ?? {}) as Record<string, unknown>;
  const reason = message ?? description ?? error ?? "";
  return oneLine(typeof reason === "string" ? reason : JSON.stringify(reason));
}

function oneLine(text: string): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, longestReasonLength);
}

/** How long the forge asks to wait, in milliseconds; `undefined` when it does not ask. */
function askedWaitMs(headers: Headers): number | undefined {
  const asked = parseRetryAfterMs(headers.get("retry-after") ?? undefined, Date.now());
  if (asked !== undefined || headers.get("x-ratelimit-remaining") !== "0") {
    return asked;
  }
  const resetSeconds = Number(headers.get("x-ratelimit-reset") ?? Number.NaN);
  return Number.isNaN(resetSeconds) ? undefined : Math.max(0, resetSeconds * 1_000 - Date.now());
}

/**
 * The query of the next page. The address before it stays ours: no header can then send the token elsewhere, and a
 * proxy's address stays in use.
 */
function nextSearch(link: string | null): string | undefined {
  for (const part of link?.split(/,\s*(?=<)/) ?? []) {
    const [, target = "", parameters = ""] = /^\s*<([^>]*)>(.*)$/.exec(part) ?? [];
    if (/;\s*rel="?next"?/i.test(parameters) && URL.canParse(target)) {
      return new URL(target).search || undefined;
    }
  }
  return undefined;
}
