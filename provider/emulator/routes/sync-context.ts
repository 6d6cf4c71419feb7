import { z } from "zod";
import type { ContextMount } from "../contexts/context-record";
import { normalizePath, pathBelow } from "../contexts/file-paths";
import { invalidRequest } from "../failures";
import type { SessionRecord } from "../sessions/session";
import { nothing, requireContext, requiredString, requireRunning, route } from "./route";

const optionalString = z.string().default("");

const syncParameters = z.object({
  sessionId: requiredString,
  contextId: optionalString.pipe(z.string().trim()),
  path: optionalString.pipe(z.string().trim()),
  mode: z.enum(["upload", "download", ""], { error: "must be upload or download" }).default(""),
});

/**
 * POST /sdk/SyncContext: synchronizes all mounts of a session, or one context at one path, where it need not be mounted.
 * Without a mode it uploads.
 */
export const syncContext = route({
  method: "POST",
  path: "/sdk/SyncContext",
  operation: "SyncContext",
  writes: true,
  usesContexts: ({ query }, { sessions }) =>
    mountsOf(query, sessions.running(query.sessionId)).map(({ contextId }) => contextId),
  query: syncParameters,
  body: nothing,
  async handle({ query }, { sessions, contexts, synchronizer }) {
    const record = requireRunning(sessions, query.sessionId);
    if ((query.contextId === "") !== (query.path === "")) {
      const missing = query.contextId === "" ? "contextId" : "path";
      throw invalidRequest(`${missing}: must be given together with the other one`);
    }
    if (query.contextId !== "") {
      requireContext(contexts, query.contextId);
    }
    await synchronizer.run(record.sessionId, mountsOf(query, record), query.mode || "upload");
    return {};
  },
});

/** The mounts to synchronize: all of the session, or the one that is named, which need not be mounted. */
function mountsOf(
  { contextId, path: givenPath }: z.output<typeof syncParameters>,
  record: SessionRecord | undefined,
): readonly ContextMount[] {
  if (contextId === "") {
    return record?.mounts ?? [];
  }
  const path = normalizePath("path", givenPath);
  const mounted = record?.mounts?.find(
    (mount) => mount.contextId === contextId && (mount.path === path || pathBelow(mount.path, path) !== undefined),
  );
  return [{ contextId, path, policy: mounted?.policy }];
}

/** GET /sdk/GetContextInfo: the status of a session's synchronizations, as JSON in JSON in JSON. */
export const getContextInfo = route({
  method: "GET",
  path: "/sdk/GetContextInfo",
  operation: "GetContextInfo",
  writes: false,
  query: z.object({
    sessionId: requiredString,
    contextId: optionalString,
    path: optionalString,
    taskType: optionalString,
  }),
  body: nothing,
  handle({ query }, { sessions, synchronizer }) {
    requireRunning(sessions, query.sessionId);
    const path = query.path === "" ? "" : normalizePath("path", query.path);
    const items = synchronizer
      .status(query.sessionId)
      .filter(
        (item) =>
          (query.contextId === "" || item.contextId === query.contextId) &&
          (path === "" || item.path === path) &&
          (query.taskType === "" || item.taskType === query.taskType),
      );
    return { data: { contextStatus: JSON.stringify([{ type: "data", data: JSON.stringify(items) }]) } };
  },
});

/** POST /sdk/GetAndLoadInternalContext: the contexts for a session's file transfers, created by the first call. */
export const getAndLoadInternalContext = route({
  method: "POST",
  path: "/sdk/GetAndLoadInternalContext",
  operation: "GetAndLoadInternalContext",
  writes: true,
  query: z.object({ sessionId: requiredString, contextTypes: z.string().default('["file_transfer"]') }),
  body: nothing,
  handle({ query }, { sessions, contexts }) {
    const { sessionId } = requireRunning(sessions, query.sessionId);
    const data = [];
    for (const contextType of parseContextTypes(query.contextTypes)) {
      // The only type that AGB's SDKs ask for. Nothing is known about others.
      if (contextType === "file_transfer") {
        const record =
          contexts.findTransferContext(sessionId) ?? contexts.create(`file_transfer-${sessionId}`, "", sessionId);
        data.push({ contextId: record.contextId, contextType, contextPath: "/tmp/file_transfer" });
      }
    }
    return { data };
  },
});

function parseContextTypes(text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidRequest("contextTypes: is not valid JSON");
  }
  const types = z.array(z.string()).safeParse(value);
  if (!types.success) {
    throw invalidRequest("contextTypes: must be a JSON list of strings");
  }
  return types.data;
}
