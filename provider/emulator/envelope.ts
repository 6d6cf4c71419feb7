import type { ApiFailure } from "./failures";

/** What an operation returns on success. Replies without data have no `data`. */
export interface Outcome {
  readonly data?: unknown;
  /** In lists only: `count` is the number of matches on all pages (AGB docs, session list page). */
  readonly nextToken?: string;
  readonly maxResults?: number;
  readonly count?: number;
  /** Beside `count` in lists of contexts: the sibling platform's name for it. */
  readonly totalCount?: number;
}

/** An HTTP reply ready to be sent. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Exactly HTTP 200: several calls of AGB's SDKs treat 201 or 202 as a failure. */
export function successReply(requestId: string, outcome: Outcome): Reply {
  return jsonReply(200, requestId, { success: true, code: "ok", httpStatusCode: 200, requestId, ...outcome });
}

/** The reply to a refused request. */
export function failureReply(
  requestId: string,
  failure: Pick<ApiFailure, "status" | "code" | "message"> & Partial<Pick<ApiFailure, "headers">>,
): Reply {
  const { status, code, message } = failure;
  const reply = jsonReply(status, requestId, { success: false, code, message, httpStatusCode: status, requestId });
  return { ...reply, headers: { ...reply.headers, ...failure.headers } };
}

/** Any JSON body with the headers that every reply carries. */
export function jsonReply(status: number, requestId: string, body: unknown): Reply {
  return {
    status,
    headers: { "content-type": "application/json;charset=utf-8", "x-request-id": requestId },
    body: JSON.stringify(body),
  };
}
