/**
 * The one place that talks HTTP to AGB. An endpoint of AGB is a row (an `Operation`) in a neighbouring file; `call`
 * gives each of them its URL, key, time limit, envelope and retries. This layer knows nothing of Pulumi and keeps no
 * state but its connections; it imports undici and zod and nothing of the other layers.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import type { z } from "zod";
import { explainConnectionFailure } from "./connection-failure";
import { isLoopback } from "./endpoint";
import { parseJson, readEnvelope, type VerdictRules } from "./envelope";
import { AgbError, AgbNetworkError, AgbTimeoutError, AgbUnexpectedReplyError } from "./errors";
import { certainlyHadNoEffect, isTransient, maximumAttempts, retryDelayMs } from "./retry";

/** What an operation sends. */
export interface RequestParts {
  readonly query?: Readonly<Record<string, string>>;
  /** JSON body; POSTs without one send `{}`. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** One endpoint of AGB. */
export interface Operation<Input, Output> extends VerdictRules {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Whether the call may be repeated without harm when its reply was lost. */
  readonly idempotent: boolean;
  readonly parts: (input: Input) => RequestParts;
  /** Shape of a successful envelope, and what is made of it. */
  readonly reply: z.ZodType<Output>;
}

/** One try that failed and will be made again. */
export interface RetryNotice {
  readonly operation: string;
  /** Number of the try that failed, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly error: AgbError;
}

/** One request and its reply, as they were; the values may be secret. */
export interface ExchangeNotice {
  readonly operation: string;
  /** HTTP status; 0 when there was no reply. */
  readonly status: number;
  readonly durationMs: number;
  /** Query and body together. */
  readonly sent: Readonly<Record<string, unknown>>;
  /** The reply's JSON, `undefined` when there was none. */
  readonly received: unknown;
}

/** How to reach AGB. */
export interface ClientSettings {
  /** Base URL without a slash at the end, see `normaliseEndpoint`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Limit of a call with all its retries, in milliseconds. */
  readonly timeoutMs: number;
  /** Told of each retry before its delay. */
  readonly onRetry?: (notice: RetryNotice) => void;
  /** Told of each request once its reply is there or missing. */
  readonly onExchange?: (notice: ExchangeNotice) => void;
}

const connectionsPerEndpoint = 32;
const largestReplyBytes = 16 * 1024 * 1024;

/** What a client takes over from another. */
interface Inheritance {
  readonly dispatcher: Dispatcher;
  readonly service: { emulatorId: string | undefined };
  /** When all calls must have ended, on the clock of `performance.now()`. */
  readonly deadlineMs: number;
}

/** A client of one AGB account, with its own pool of kept-alive connections. */
export class AgbClient {
  private readonly dispatcher: Dispatcher;
  private readonly deadlineMs: number;
  private readonly service: { emulatorId: string | undefined };

  constructor(
    private readonly settings: ClientSettings,
    inheritance?: Inheritance,
  ) {
    const options = { connections: connectionsPerEndpoint, maxResponseSize: largestReplyBytes };
    const open = () => (isLoopback(settings.baseUrl) ? new Agent(options) : new EnvHttpProxyAgent(options));
    this.dispatcher = inheritance?.dispatcher ?? open();
    this.deadlineMs = inheritance?.deadlineMs ?? Number.POSITIVE_INFINITY;
    this.service = inheritance?.service ?? { emulatorId: undefined };
  }

  /** The same client over the same connections, all of whose calls together must end within the limit. */
  within(limitMs: number): AgbClient {
    const { dispatcher, service } = this;
    return new AgbClient(this.settings, { dispatcher, service, deadlineMs: performance.now() + limitMs });
  }

  /** The id that the emulator gave in the last reply; `undefined` for AGB and for emulators that keep no sessions. */
  get emulatorId(): string | undefined {
    return this.service.emulatorId;
  }

  /** Milliseconds left for calls, see `within`; infinite without a limit. */
  leftMs(): number {
    return this.deadlineMs - performance.now();
  }

  /**
   * Makes one call, repeated where that is harmless, within the time limit.
   *
   * @throws AgbError of the kind that fits, see `errors.ts`
   */
  async call<Input, Output>(operation: Operation<Input, Output>, input: Input): Promise<Output> {
    const { onRetry } = this.settings;
    const startedMs = performance.now();
    const timeoutMs = Math.round(Math.min(this.settings.timeoutMs, this.leftMs()));
    if (timeoutMs <= 0) {
      throw new AgbTimeoutError(operation.name, 0);
    }
    const signal = AbortSignal.timeout(timeoutMs);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.tryOnce(operation, operation.parts(input), signal, timeoutMs);
      } catch (error) {
        if (!(error instanceof AgbError) || !isTransient(error) || attempt >= maximumAttempts) {
          throw error;
        }
        if (!operation.idempotent && !certainlyHadNoEffect(error)) {
          throw error;
        }
        const delayMs = retryDelayMs(attempt, error, Math.random());
        if (performance.now() - startedMs + delayMs >= timeoutMs) {
          throw error;
        }
        onRetry?.({ operation: operation.name, attempt, delayMs, error });
        await sleep(delayMs);
      }
    }
  }

  /** Ends the kept-alive connections; calls under way end first. */
  close(): Promise<void> {
    return this.dispatcher.close();
  }

  private async tryOnce<Input, Output>(
    operation: Operation<Input, Output>,
    parts: RequestParts,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<Output> {
    const startedMs = performance.now();
    const notice = { operation: operation.name, sent: { ...parts.query, ...parts.body } };
    const note = (status: number, received: unknown) =>
      this.settings.onExchange?.({ ...notice, status, durationMs: performance.now() - startedMs, received });
    const reply = await this.exchange(operation, parts, signal, timeoutMs).catch((error: unknown) => {
      note(0, undefined);
      throw error;
    });
    note(reply.status, parseJson(reply.text));
    const envelope = readEnvelope(operation, reply, this.settings.apiKey);
    const parsed = operation.reply.safeParse(envelope);
    if (!parsed.success) {
      // Only paths and expectations: the values of a reply may be secret.
      const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
      const requestId = envelope.requestId || reply.requestIdHeader || "";
      throw new AgbUnexpectedReplyError(operation.name, reply.status, requestId, problems.join("; "));
    }
    return parsed.data;
  }

  private async exchange(
    operation: Operation<never, unknown>,
    parts: RequestParts,
    signal: AbortSignal,
    timeoutMs: number,
  ) {
    const { baseUrl, apiKey } = this.settings;
    const query = new URLSearchParams(parts.query).toString();
    let requestSent = false;
    const noticeStart = noticingStart(() => {
      requestSent = true;
    });
    try {
      const response = await request(`${baseUrl}${operation.path}${query && `?${query}`}`, {
        dispatcher: this.dispatcher.compose(noticeStart),
        method: operation.method,
        headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
        ...(operation.method === "POST" && { body: JSON.stringify(parts.body ?? {}) }),
        // The signal is the only limit; undici's own would cut longer ones short.
        headersTimeout: 0,
        bodyTimeout: 0,
        signal,
      });
      const emulatorId = firstValue(response.headers["x-agb-emulator-id"]) ?? "";
      this.service.emulatorId = /^[a-z0-9]{1,40}$/.test(emulatorId) ? emulatorId : undefined;
      return {
        status: response.statusCode,
        text: await response.body.text(),
        requestIdHeader: firstValue(response.headers["x-request-id"]),
        retryAfterHeader: firstValue(response.headers["retry-after"]),
      };
    } catch (cause) {
      if (signal.aborted) {
        throw new AgbTimeoutError(operation.name, timeoutMs, { cause });
      }
      const { reason, lasting } = explainConnectionFailure(cause, requestSent);
      throw new AgbNetworkError(operation.name, baseUrl, requestSent, reason, { cause, lasting });
    }
  }
}

function firstValue(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** Calls back when a connection stands and the request is about to be written to it; without that nothing is sent. */
function noticingStart(onStart: () => void): Dispatcher.DispatcherComposeInterceptor {
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
