import { z } from "zod";
import type { ContextMount } from "../contexts/context-record";
import { normalizePath, pathBelow } from "../contexts/file-paths";
import { invalidRequest } from "../failures";
import type { SessionRecord } from "../session";
import { nothing, requireContext, requiredText, requireRunning, route } from "./route";

const optionalText = z.string().default("");

/**
 * POST /sdk/SyncContext: synchronizes all mounts of a session, or one context below one path, which need not be mounted
 * there. Without a mode it uploads.
 */
export const syncContext = route({
  method: "POST",
  path: "/sdk/SyncContext",
  operation: "SyncContext",
  writes: false,
  usesContexts: true,
  query: z.object({
    sessionId: requiredText,
    contextId: optionalText,
    path: optionalText,
    mode: z.enum(["upload", "download", ""], { error: "must be upload or download" }).default(""),
  }),
  body: nothing,
  async handle({ query }, { store, contexts, synchronizer }) {
    const record = requireRunning(store, query.sessionId);
    const [contextId, path] = [query.contextId.trim(), query.path.trim()];
    if ((contextId === "") !== (path === "")) {
      throw invalidRequest(`${contextId === "" ? "contextId" : "path"}: must be given together with the other one`);
    }
    if (contextId !== "") {
      requireContext(contexts, contextId);
    }
    const mounts = contextId === "" ? (record.mounts ?? []) : [mountAt(record, contextId, normalizePath("path", path))];
    await synchronizer.run(record.sessionId, mounts, query.mode || "upload");
    return {};
  },
});

function mountAt(record: SessionRecord, contextId: string, path: string): ContextMount {
  const mounted = record.mounts?.find(
    (mount) => mount.contextId === contextId && (mount.path === path || pathBelow(mount.path, path) !== undefined),
  );
  return { contextId, path, policy: mounted?.policy };
}

/** GET /sdk/GetContextInfo: the state of a session's synchronizations, as JSON in JSON in JSON. */
export const getContextInfo = route({
  method: "GET",
  path: "/sdk/GetContextInfo",
  operation: "GetContextInfo",
  writes: false,
  usesContexts: true,
  query: z.object({ sessionId: requiredText, contextId: optionalText, path: optionalText, taskType: optionalText }),
  body: nothing,
  handle({ query }, { store, synchronizer }) {
    requireRunning(store, query.sessionId);
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

/** POST /sdk/GetAndLoadInternalContext: the contexts that serve a session's file transfers, made when first asked for. */
export const getAndLoadInternalContext = route({
  method: "POST",
  path: "/sdk/GetAndLoadInternalContext",
  operation: "GetAndLoadInternalContext",
  writes: false,
  usesContexts: true,
  query: z.object({ sessionId: requiredText, contextTypes: z.string().default('["file_transfer"]') }),
  body: nothing,
  async handle({ query }, { store, contexts, contextFolder }) {
    const { sessionId } = requireRunning(store, query.sessionId);
    const data = [];
    for (const contextType of parseContextTypes(query.contextTypes)) {
      // The only type that AGB's SDKs ask for; nothing is known about others.
      if (contextType === "file_transfer") {
        const record =
          contexts.findTransferContext(sessionId) ?? contexts.create(`file_transfer-${sessionId}`, "", sessionId);
        data.push({ contextId: record.contextId, contextType, contextPath: "/tmp/file_transfer" });
      }
    }
    await contextFolder.save();
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
    throw invalidRequest("contextTypes: must be a JSON list of texts");
  }
  return types.data;
}
