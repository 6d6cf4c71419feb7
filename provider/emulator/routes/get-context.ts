import { z } from "zod";
import type { ContextRecord } from "../contexts/context-record";
import type { ContextStore } from "../contexts/context-store";
import { contextNotFound, invalidRequest } from "../failures";
import { cutPage, pageParameters } from "./page";
import { nothing, route } from "./route";

// Comment in the Python SDK's request model.
const defaultRegionId = "cn-hangzhou";

const trimmed = z.string().trim().default("");

const parameters = z.object({
  id: trimmed,
  name: trimmed,
  allowCreate: z
    .string()
    .toLowerCase()
    .pipe(z.enum(["true", "false"], { error: "must be true or false" }))
    .default("false"),
  loginRegionId: trimmed.transform((regionId) => regionId || defaultRegionId),
});

/**
 * GET /sdk/GetContext: finds a context by id or name. With `allowCreate=true`, which needs a name and no id, it creates a
 * missing one; there is no other create. If both an id and a name are given, the id decides.
 */
export const getContext = route({
  method: "GET",
  path: "/sdk/GetContext",
  operation: "GetContext",
  // Also if the context was found: its create may not be on disk yet.
  writes: ({ query }) => query.allowCreate === "true",
  usesContexts({ query }, { contexts }) {
    const found = findContext(query, contexts);
    return found === undefined ? [] : [found.contextId];
  },
  query: parameters,
  body: nothing,
  handle({ query }, { contexts }) {
    const isCreate = query.allowCreate === "true";
    if (query.id === "" && query.name === "") {
      throw invalidRequest("name: either an id or a name is required");
    }
    if (isCreate && query.id !== "") {
      throw invalidRequest("id: must not be given together with allowCreate=true");
    }
    const found = findContext(query, contexts);
    if (found === undefined && !isCreate) {
      throw contextNotFound();
    }
    const record = found ?? contexts.create(query.name, query.loginRegionId);
    return { data: { ...describe(record), state: contexts.stateOf(record) } };
  },
});

function findContext({ id, name, loginRegionId }: z.output<typeof parameters>, contexts: ContextStore) {
  return id === "" ? contexts.findByName(name, loginRegionId) : contexts.find(id);
}

/** GET /sdk/ListContexts: newest first. Paging is at the top level, as on the sibling platform. */
export const listContexts = route({
  method: "GET",
  path: "/sdk/ListContexts",
  operation: "ListContexts",
  writes: false,
  usesContexts: (_, { contexts }) => contexts.list().map(({ contextId }) => contextId),
  query: pageParameters,
  body: nothing,
  handle({ query }, { contexts, settings }) {
    const { page, ...paging } = cutPage(contexts.list(), query, settings.pageCap);
    return { data: page.map(describe), ...paging, totalCount: paging.count };
  },
});

function describe(record: ContextRecord) {
  return {
    id: record.contextId,
    name: record.name,
    createTime: new Date(record.createdAtMs).toISOString(),
    lastUsedTime: new Date(record.lastUsedAtMs).toISOString(),
  };
}
