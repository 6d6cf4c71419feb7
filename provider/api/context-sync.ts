import { z } from "zod";
import { boundedList } from "./bounded-list";
import type { AgbClient, Operation } from "./client";
import { sessionGoneCodes } from "./gone";
import { parseJson } from "./json";

/** `upload` is from the session to the context. */
export type SyncDirection = "upload" | "download";

/** One synchronization of a context with a session, as AGB shows it. */
export interface SyncItem {
  /** Empty when AGB names none. */
  readonly contextId: string;
  /** Path of the mount; empty when AGB names none. */
  readonly path: string;
  /** AGB's `taskType`: a `SyncDirection`, or something that we do not know. */
  readonly direction: string;
  /** AGB's status, such as `Running`; empty when it names none. */
  readonly status: string;
  /** `failed` and `succeeded` are final. Every status that we do not know is in progress. */
  readonly progress: "running" | "succeeded" | "failed";
  /** When it began, in AGB's unit (seconds since 1970, as far as known); 0 when AGB does not say. */
  readonly startTime: number;
  /** When it ended; 0 when it has not. */
  readonly finishTime: number;
  /** AGB's own words, which may hold anything: clean them before you show them. */
  readonly errorMessage: string;
}

const text = z.string().nullish();
// Also as text: a number of many digits arrives as one, see `parseJson`.
const time = z
  .union([z.number(), z.string()])
  .nullish()
  .transform((value) => Number(value ?? 0) || 0);

const syncItem = z
  .looseObject({
    contextId: text,
    path: text,
    taskType: text,
    status: text,
    startTime: time,
    finishTime: time,
    errorMessage: text,
  })
  .transform(
    ({ contextId, path, taskType, status, startTime, finishTime, errorMessage }): SyncItem => ({
      contextId: contextId ?? "",
      path: path ?? "",
      direction: (taskType ?? "").toLowerCase(),
      status: status ?? "",
      progress: progressOf(status ?? ""),
      startTime,
      finishTime,
      errorMessage: errorMessage ?? "",
    }),
  );

function progressOf(status: string): SyncItem["progress"] {
  const name = status.toLowerCase();
  return name === "success" ? "succeeded" : name === "failed" ? "failed" : "running";
}

/** JSON as text, or the value itself; `undefined`, null and the empty string are an empty list. */
const jsonList = z.unknown().transform((value, context): unknown => {
  if (value === undefined || value === null || value === "") {
    return [];
  }
  if (typeof value !== "string") {
    return value;
  }
  const list = parseJson(value);
  if (list === undefined) {
    context.addIssue({ code: "custom", message: "the text is not JSON" });
    return z.NEVER;
  }
  return list;
});

const dataItems = z
  .looseObject({ data: jsonList.pipe(boundedList(syncItem, "the status has too many synchronizations")).optional() })
  .transform(({ data }) => data ?? []);

/**
 * The status of a session's synchronizations as AGB returns it: a list as JSON text, whose elements of the type `data`
 * hold another list as JSON text. Other types are skipped. What is not JSON fails: read as "no items" it would be a
 * failed upload that nobody sees.
 */
export const contextStatusSchema = jsonList
  .pipe(boundedList(z.looseObject({ type: text }), "the status has too many parts"))
  .transform((parts) => parts.filter(({ type }) => type === "data"))
  .pipe(z.array(dataItems))
  .transform((lists) => lists.flat());

const infoOperation: Operation<{ sessionId: string }, SyncItem[]> = {
  name: "GetContextInfo",
  method: "GET",
  path: "/sdk/GetContextInfo",
  idempotent: true,
  goneCodes: sessionGoneCodes,
  innerVerdict: false,
  parts: ({ sessionId }) => ({ query: { sessionId } }),
  reply: z
    .looseObject({ data: z.looseObject({ contextStatus: contextStatusSchema.optional() }).nullish() })
    .transform(({ data }) => data?.contextStatus ?? []),
};

interface SyncRequest {
  readonly sessionId: string;
  readonly contextId: string;
  readonly path: string;
  readonly direction: SyncDirection;
}

const syncOperation: Operation<SyncRequest, void> = {
  name: "SyncContext",
  method: "POST",
  path: "/sdk/SyncContext",
  // Twice synchronized is synchronized.
  idempotent: true,
  // A context that is missing is no session that is gone: its files would be lost.
  goneCodes: sessionGoneCodes,
  innerVerdict: false,
  parts: ({ sessionId, contextId, path, direction }) => ({ query: { sessionId, contextId, path, mode: direction } }),
  reply: z.unknown().transform(() => undefined),
};

/**
 * Reads how the synchronizations of a session are: the newest of each mount and direction, perhaps older ones too.
 *
 * @throws AgbNotFoundError when the session is gone
 */
export function getSyncItems(client: AgbClient, sessionId: string): Promise<SyncItem[]> {
  return client.call(infoOperation, { sessionId });
}

/**
 * Asks AGB to synchronize one mount; the files move later, see `getSyncItems`.
 *
 * @throws AgbNotFoundError when the session is gone
 * @throws AgbApiError when the context is missing or AGB refuses for another reason
 */
export function startSync(
  client: AgbClient,
  sessionId: string,
  { contextId, path }: { readonly contextId: string; readonly path: string },
  direction: SyncDirection,
): Promise<void> {
  return client.call(syncOperation, { sessionId, contextId, path, direction });
}
