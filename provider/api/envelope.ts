import { z } from "zod";
import { AgbApiError, AgbAuthenticationError, AgbNotFoundError, AgbUnexpectedReplyError, type Refusal } from "./errors";
import { saysGone } from "./gone";
import { parseJson } from "./json";
import { type CleanText, printable } from "./outside-text";
import { parseRetryAfterMs } from "./retry";

/** An HTTP reply with its whole body, not yet parsed. */
export interface HttpReply {
  readonly status: number;
  /** The URL that was asked, without its query. */
  readonly url?: string | undefined;
  /** The body as a string. */
  readonly text: string;
  /** Value of the header `x-request-id`, used when the body has no `requestId`. */
  readonly requestIdHeader?: string | undefined;
  /** Value of the header `Retry-After`: seconds or an HTTP date. */
  readonly retryAfterHeader?: string | undefined;
}

/** How to read the verdict in an operation's reply. */
export interface VerdictRules {
  readonly name: string;
  /** Codes that mean that the requested object is gone. */
  readonly goneCodes: readonly (string | RegExp)[];
  /** Whether `data.success` and `data.errMsg` are a second verdict, as in createSession. */
  readonly innerVerdict: boolean;
}

const longestCode = 200;

const text = z.string().nullish();

/** The outer layer of each reply. Unknown fields pass. */
const envelopeSchema = z.looseObject({
  success: z.boolean().nullish(),
  code: text,
  message: text,
  requestId: text,
  // Some replies have no data. zod requires a key of type `unknown` unless it is optional.
  data: z.unknown().optional(),
});

/** An envelope whose verdict is success. */
export type Envelope = z.infer<typeof envelopeSchema>;

const innerSchema = z.looseObject({ success: z.boolean().nullish(), errMsg: text, sessionId: text });

// AGB documents no code for a bad key. NOT_LOGIN is known from its sibling platform, AccessDenied from a unit fixture of
// AGB's SDK. The others are common answers of gateways in front of such services.
const authenticationCodes = /^(NOT_LOGIN$|AccessDenied|InvalidApiKey|Forbidden|Unauthorized)/;

/**
 * Reads the two layers of a reply and returns the envelope when both say success.
 *
 * Authentication failures are detected before "not found": a wrong key must never look like a released session.
 *
 * @param clean prepares the server's words for an error: removes the call's secrets, escapes and shortens them
 * @throws AgbAuthenticationError, AgbNotFoundError, AgbApiError when AGB refused
 * @throws AgbUnexpectedReplyError when the reply is not an envelope although the HTTP status is good
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
    throw new AgbUnexpectedReplyError(rules.name, reply.status, clean(facts.requestId), "it has no field `success`");
  }
  if (rules.innerVerdict && inner.data?.success === false) {
    // The outer code is `ok` here, which would be misleading in an error.
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
  const { code, reason, status, requestId, sessionId } = refusal;
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
  if (saysGone(rules.goneCodes, refusal)) {
    return new AgbNotFoundError(rules.name, shown);
  }
  return new AgbApiError(rules.name, shown);
}

/** Accepts `{"body": {...}}` and PascalCase keys in every reply, as AGB's SDK does in some. */
function unwrap(value: unknown, depth = 0): unknown {
  if (!isRecord(value) || depth > deepestBody) {
    return undefined;
  }
  const keysToLower = Object.entries(value).map(([key, item]) => [key.charAt(0).toLowerCase() + key.slice(1), item]);
  const envelope: Record<string, unknown> = { ...Object.fromEntries(keysToLower), ...value };
  return isRecord(envelope["body"]) && !("success" in envelope) ? unwrap(envelope["body"], depth + 1) : envelope;
}

/** How many bodies may be nested. AGB's SDK knows of one. */
const deepestBody = 3;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
