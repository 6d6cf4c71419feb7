import { z } from "zod";
import { AgbApiError, AgbAuthenticationError, AgbNotFoundError, AgbUnexpectedReplyError, type Refusal } from "./errors";
import { parseJson } from "./json";
import { type CleanText, printable } from "./outside-text";
import { parseRetryAfterMs } from "./retry";

/** An HTTP reply with its whole body, before anything is known of its content. */
export interface HttpReply {
  readonly status: number;
  /** The URL that was asked, without its query. */
  readonly url?: string | undefined;
  /** Body as text. */
  readonly text: string;
  /** Value of the header `x-request-id`, used when the body has no `requestId`. */
  readonly requestIdHeader?: string | undefined;
  /** Value of the header `Retry-After`: seconds or an HTTP date. */
  readonly retryAfterHeader?: string | undefined;
}

/** What the verdict needs to know of an operation. */
export interface VerdictRules {
  readonly name: string;
  /** Codes that mean that the addressed object is gone. */
  readonly goneCodes: readonly (string | RegExp)[];
  /** Whether `data.success` and `data.errMsg` are a second verdict, as createSession has it. */
  readonly innerVerdict: boolean;
}

const longestCode = 200;

const text = z.string().nullish();

/** The outer layer of each reply; fields that AGB adds are let through. */
const envelopeSchema = z.looseObject({
  success: z.boolean().nullish(),
  code: text,
  message: text,
  requestId: text,
  // Replies without data exist, and a key of type `unknown` is required unless it says so.
  data: z.unknown().optional(),
});

/** An envelope whose verdict is success. */
export type Envelope = z.infer<typeof envelopeSchema>;

const innerSchema = z.looseObject({ success: z.boolean().nullish(), errMsg: text, sessionId: text });

// AGB names none for its own keys; NOT_LOGIN is known from its sibling platform, AccessDenied from a unit fixture of
// AGB's SDK, the rest are what gateways in front of such services answer.
const authenticationCodes = /^(NOT_LOGIN$|AccessDenied|InvalidApiKey|Forbidden|Unauthorized)/;

/**
 * Reads the two layers of a reply and returns the envelope when both say success.
 *
 * An authentication failure is decided before "not found": a wrong key must never look like a released session.
 *
 * @param clean makes what the server says ready for an error: without the secrets of the call, harmless, not too long
 * @throws AgbAuthenticationError, AgbNotFoundError, AgbApiError when AGB refused
 * @throws AgbUnexpectedReplyError when the reply is no envelope although the HTTP status is good
 */
export function readEnvelope(rules: VerdictRules, reply: HttpReply, clean: CleanText = printable): Envelope {
  const parsed = envelopeSchema.safeParse(unwrap(parseJson(reply.text)));
  if (!parsed.success) {
    if (reply.status >= 400) {
      const reason = "the body is not AGB's JSON; a proxy may have answered";
      throw refusalError(rules, { code: "", reason, isFromAgb: false, ...transportFacts(reply) }, clean);
    }
    throw new AgbUnexpectedReplyError(
      rules.name,
      reply.status,
      clean(reply.requestIdHeader ?? ""),
      "the body is not AGB's JSON",
    );
  }
  const envelope = parsed.data;
  const inner = innerSchema.safeParse(envelope.data);
  const sessionId = (inner.success && inner.data.sessionId) || undefined;
  const facts = {
    code: envelope.code ?? "",
    ...transportFacts(reply),
    requestId: envelope.requestId || reply.requestIdHeader || "",
    isFromAgb: typeof envelope.success === "boolean",
    sessionId: rules.innerVerdict ? sessionId : undefined,
  };
  if (reply.status >= 400 || envelope.success === false) {
    throw refusalError(rules, { ...facts, reason: (inner.data?.errMsg || envelope.message) ?? "" }, clean);
  }
  if (envelope.success !== true) {
    throw new AgbUnexpectedReplyError(rules.name, reply.status, clean(facts.requestId), "it has no verdict `success`");
  }
  if (rules.innerVerdict && inner.data?.success === false) {
    // On success the outer code is `ok`, which would read as nonsense beside a refusal.
    const code = facts.code.toLowerCase() === "ok" ? "" : facts.code;
    throw refusalError(rules, { ...facts, code, reason: (inner.data.errMsg || envelope.message) ?? "" }, clean);
  }
  return envelope;
}

function transportFacts(reply: HttpReply) {
  return {
    status: reply.status,
    url: reply.url,
    requestId: reply.requestIdHeader ?? "",
    retryAfterMs: parseRetryAfterMs(reply.retryAfterHeader, Date.now()),
  };
}

function refusalError(rules: VerdictRules, refusal: Refusal, clean: CleanText): AgbApiError {
  const { code, reason, status, requestId, isFromAgb, sessionId } = refusal;
  const shown = {
    ...refusal,
    code: clean(code, longestCode),
    reason: clean(reason),
    requestId: clean(requestId, longestCode),
    sessionId: sessionId && clean(sessionId, longestCode),
  };
  if (status === 401 || status === 403 || authenticationCodes.test(code)) {
    return new AgbAuthenticationError(rules.name, shown);
  }
  if (
    isFromAgb &&
    status < 500 &&
    rules.goneCodes.some((gone) => (typeof gone === "string" ? gone === code : gone.test(code)))
  ) {
    return new AgbNotFoundError(rules.name, shown);
  }
  return new AgbApiError(rules.name, shown);
}

/** AGB's SDK also accepts `{"body": {...}}` and PascalCase keys on some calls; so do we, on all of them. */
function unwrap(value: unknown, depth = 0): unknown {
  if (!isRecord(value) || depth > deepestBody) {
    return undefined;
  }
  const keysToLower = Object.entries(value).map(([key, item]) => [key.charAt(0).toLowerCase() + key.slice(1), item]);
  const envelope: Record<string, unknown> = { ...Object.fromEntries(keysToLower), ...value };
  return isRecord(envelope["body"]) && !("success" in envelope) ? unwrap(envelope["body"], depth + 1) : envelope;
}

/** One is known from AGB's SDK. */
const deepestBody = 3;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
