/**
 * The only place that sends HTTP requests to AGB. Each call of AGB's API is an `Operation` in a neighbouring file. `call`
 * adds the URL, key, time limit, envelope and retries. Connections are in `connection-pool.ts`. This layer knows nothing
 * of Pulumi and keeps no other state. It imports undici and zod, and nothing from the other layers.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Dispatcher } from "undici";
import type { z } from "zod";
import { explainConnectionFailure } from "./connection-failure";
import { ConnectionPool, largestReplyBytes } from "./connection-pool";
import { readEnvelope, type VerdictRules } from "./envelope";
import { AgbError, AgbNetworkError, AgbTimeoutError, AgbUnexpectedReplyError } from "./errors";
import { parseJson } from "./json";
import { type KnownSecret, keySecret, labelSecrets } from "./known-secrets";
import { type Progress, routeTo } from "./open-socket";
import { type CleanText, cleanerFor } from "./outside-text";
import type { HttpProxy } from "./proxy";
import { certainlyHadNoEffect, isTransient, maximumAttempts, retryDelayMs } from "./retry";

/** What an operation sends. */
export interface RequestParts {
  readonly query?: Readonly<Record<string, string>>;
  /** JSON body. A POST without one sends `{}`. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** The labels that query or body contain. Their values may be secret, so no error or log repeats them. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** One call of AGB's API. */
export interface Operation<Input, Output> extends VerdictRules {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Whether the call can safely be repeated after its reply was lost. */
  readonly idempotent: boolean;
  readonly parts: (input: Input) => RequestParts;
  /** Shape of a successful envelope, and its conversion to the result. */
  readonly reply: z.ZodType<Output>;
}

/** A failed attempt that will be retried. */
export interface RetryNotice {
  readonly operation: string;
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly error: AgbError;
}

/** One request and its reply, unchanged. The values may be secret. */
export interface ExchangeNotice {
  readonly operation: string;
  /** HTTP status, or 0 without a reply. */
  readonly status: number;
  readonly durationMs: number;
  /** Query and body together. */
  readonly sent: Readonly<Record<string, unknown>>;
  /** The reply's JSON, or `undefined` if there was none. */
  readonly received: unknown;
  /** Removes the secrets that the call knows. */
  readonly clean: CleanText;
}

/** How to reach AGB. */
export interface ClientSettings {
  /** Base URL without a slash at the end, see `normaliseEndpoint`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Time limit of a call with all its retries, in milliseconds. */
  readonly timeoutMs: number;
  /** The proxy to use, see `findProxy`; `undefined` for none. */
  readonly proxy: HttpProxy | undefined;
  /** Further secrets that no error or log may repeat, besides the key and the labels that a call sends. */
  readonly secrets?: readonly KnownSecret[];
  /** Called before the delay of each retry. */
  readonly onRetry?: (notice: RetryNotice) => void;
  /** Called after each request, with its reply if there was one. */
  readonly onExchange?: (notice: ExchangeNotice) => void;
}

/** How many problems of a reply an error lists. */
const shownIssues = 5;

/** What a derived client shares with the original. */
interface Inheritance {
  readonly connections: ConnectionPool;
  readonly service: { emulatorId: string | undefined };
  /** When all calls must have finished, on the clock of `performance.now()`. */
  readonly deadlineMs: number;
  /** Nothing is sent once it is aborted. */
  readonly stop?: AbortSignal | undefined;
}

/** The time limit of one call with its retries. */
interface CallLimit {
  /** On the clock of `performance.now()`. */
  readonly startedMs: number;
  readonly timeoutMs: number;
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
}

/** A client of one AGB account, with its own pool of kept-alive connections. */
export class AgbClient {
  private readonly connections: ConnectionPool;
  private readonly deadlineMs: number;
  private readonly service: { emulatorId: string | undefined };
  private readonly stop: AbortSignal | undefined;

  constructor(
    private readonly settings: ClientSettings,
    inheritance?: Inheritance,
  ) {
    const { baseUrl, proxy } = settings;
    this.connections = inheritance?.connections ?? new ConnectionPool(baseUrl, routeTo(baseUrl, proxy));
    this.deadlineMs = inheritance?.deadlineMs ?? Number.POSITIVE_INFINITY;
    this.service = inheritance?.service ?? { emulatorId: undefined };
    this.stop = inheritance?.stop;
  }

  /** Returns a client over the same connections whose calls together must finish within `limitMs`. */
  within(limitMs: number): AgbClient {
    return this.derive({ deadlineMs: Math.min(this.deadlineMs, performance.now() + limitMs) });
  }

  /** Returns a client over the same connections that sends nothing after the signal is aborted. It still awaits replies. */
  untilAborted(stop: AbortSignal): AgbClient {
    return this.derive({ stop });
  }

  /** Returns a client over the same connections whose errors and logs do not repeat these secrets either. */
  hiding(more: readonly KnownSecret[]): AgbClient {
    return this.derive({}, { secrets: [...(this.settings.secrets ?? []), ...more] });
  }

  /**
   * Prepares a string of a reply for output: removes the key and the other secrets, escapes and shortens it.
   *
   * @param longest longest result, in characters. Default: 1,000
   */
  clean(text: string, longest?: number): string {
    const { apiKey, secrets = [] } = this.settings;
    return cleanerFor([keySecret(apiKey), ...secrets])(text, longest);
  }

  /** The emulator's id from the last reply; `undefined` for AGB and for emulators without a state file. */
  get emulatorId(): string | undefined {
    return this.service.emulatorId;
  }

  /** Returns the milliseconds left for calls, see `within`. Infinite without a limit. */
  leftMs(): number {
    return this.deadlineMs - performance.now();
  }

  /**
   * Makes one call within the time limit, and retries it where that is safe.
   *
   * @throws AgbError a subclass that says what failed, see `errors.ts`
   */
  async call<Input, Output>(operation: Operation<Input, Output>, input: Input): Promise<Output> {
    const { onRetry } = this.settings;
    const startedMs = performance.now();
    const timeoutMs = Math.round(Math.min(this.settings.timeoutMs, this.leftMs()));
    if (timeoutMs <= 0) {
      throw new AgbTimeoutError(operation.name, 0);
    }
    const limit: CallLimit = { startedMs, timeoutMs, signal: AbortSignal.timeout(timeoutMs) };
    let sentFailure: AgbError | undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.tryOnce(operation, operation.parts(input), limit);
      } catch (latest) {
        if (!(latest instanceof AgbError)) {
          throw latest;
        }
        if (!certainlyHadNoEffect(latest)) {
          sentFailure = latest;
        }
        // If an earlier attempt was sent and the last one was not, "nothing was sent" would be false.
        const error = sentFailure ?? latest;
        if (
          !isTransient(latest) ||
          attempt >= maximumAttempts ||
          (!operation.idempotent && sentFailure !== undefined)
        ) {
          throw error;
        }
        const delayMs = retryDelayMs(attempt, latest, Math.random());
        if (this.stop?.aborted || performance.now() - startedMs + delayMs >= timeoutMs) {
          throw error;
        }
        onRetry?.({ operation: operation.name, attempt, delayMs, error: latest });
        await sleep(delayMs);
        if (this.stop?.aborted) {
          throw error;
        }
      }
    }
  }

  /** Closes the connections. Calls that were sent have two seconds to finish; all others fail immediately. */
  close(): Promise<void> {
    return this.connections.close();
  }

  private derive(over: Partial<Inheritance>, settings: Partial<ClientSettings> = {}): AgbClient {
    const { connections, service, deadlineMs, stop } = this;
    return new AgbClient({ ...this.settings, ...settings }, { connections, service, deadlineMs, stop, ...over });
  }

  private async tryOnce<Input, Output>(
    operation: Operation<Input, Output>,
    parts: RequestParts,
    limit: CallLimit,
  ): Promise<Output> {
    const startedMs = performance.now();
    const { apiKey, secrets = [] } = this.settings;
    const clean = cleanerFor([keySecret(apiKey), ...secrets, ...labelSecrets(parts.labels ?? {})]);
    const notice = { operation: operation.name, sent: { ...parts.query, ...parts.body }, clean };
    const note = (status: number, received: unknown) =>
      this.settings.onExchange?.({ ...notice, status, durationMs: performance.now() - startedMs, received });
    const reply = await this.exchange(operation, parts, limit).catch((error: unknown) => {
      note(0, undefined);
      throw error;
    });
    note(reply.status, parseJson(reply.text));
    const envelope = readEnvelope(operation, reply, clean);
    const parsed = operation.reply.safeParse(envelope);
    if (!parsed.success) {
      // Only paths and expectations, because the values of a reply may be secret.
      const issues = parsed.error.issues.slice(0, shownIssues);
      const problems = issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
      const requestId = clean(envelope.requestId || reply.requestIdHeader || "");
      throw new AgbUnexpectedReplyError(operation.name, reply.status, requestId, clean(problems.join("; ")));
    }
    return parsed.data;
  }

  private async exchange(operation: Operation<never, unknown>, parts: RequestParts, limit: CallLimit) {
    const { baseUrl, apiKey } = this.settings;
    const url = `${baseUrl}${operation.path}`;
    const query = new URLSearchParams(parts.query).toString();
    const progress: Progress = { step: "starting" };
    let status = 0;
    let requestSent = false;
    const observer = observeStart(() => {
      // The call may have waited for a free connection until now.
      this.stop?.throwIfAborted();
      requestSent = true;
    });
    try {
      return await this.connections.use(limit.signal, progress, async (connection) => {
        const response = await connection.compose(observer).request({
          path: `${new URL(url).pathname}${query && `?${query}`}`,
          method: operation.method,
          headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
          ...(operation.method === "POST" && { body: JSON.stringify(parts.body ?? {}) }),
          // The call's own limit ends the connection. undici's limits would cut longer calls short.
          headersTimeout: 0,
          bodyTimeout: 0,
        });
        status = response.statusCode;
        const emulatorId = firstValue(response.headers["x-agb-emulator-id"]) ?? "";
        this.service.emulatorId = /^[a-z0-9]{1,40}$/.test(emulatorId) ? emulatorId : undefined;
        return {
          status,
          url,
          text: await response.body.text(),
          requestIdHeader: firstValue(response.headers["x-request-id"]),
          retryAfterHeader: firstValue(response.headers["retry-after"]),
        };
      });
    } catch (cause) {
      if (limit.signal.aborted) {
        const unsent = requestSent ? undefined : { endpoint: baseUrl, step: progress.step };
        const waitedMs = performance.now() - limit.startedMs;
        throw new AgbTimeoutError(operation.name, limit.timeoutMs, { cause, unsent, waitedMs });
      }
      if (isTooLarge(cause)) {
        const reason = `it is larger than ${largestReplyBytes / 1024 / 1024} MiB`;
        throw new AgbUnexpectedReplyError(operation.name, status, "", reason);
      }
      const { reason, lasting, obstacle } = explainConnectionFailure(cause, requestSent);
      throw new AgbNetworkError(operation.name, baseUrl, requestSent, reason, { cause, lasting, obstacle });
    }
  }
}

function isTooLarge(error: unknown): boolean {
  return typeof error === "object" && error !== null && Reflect.get(error, "code") === "UND_ERR_RES_EXCEEDED_MAX_SIZE";
}

function firstValue(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** Calls `onStart` right before the request is written to the connection. If it was not called, nothing was sent. */
function observeStart(onStart: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart: (...start) => {
        onStart();
        handler.onRequestStart?.(...start);
      },
      onRequestUpgrade: (...upgrade) => handler.onRequestUpgrade?.(...upgrade),
      onResponseStart: (...head) => handler.onResponseStart?.(...head),
      onResponseData: (...data) => handler.onResponseData?.(...data),
      onResponseEnd: (...end) => handler.onResponseEnd?.(...end),
      onResponseError: (...failure) => handler.onResponseError?.(...failure),
    });
}
