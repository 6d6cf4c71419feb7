import { z } from "zod";
import type { ContextRecord } from "../contexts/context-record";
import { contextNotFound, invalidRequest } from "../failures";
import { cutPage, pageParameters } from "./page";
import { nothing, route } from "./route";

// Comment in the Python SDK's request model.
const defaultRegionId = "cn-hangzhou";

/**
 * GET /sdk/GetContext: finds a context by id or name; with `allowCreate=true`, which goes with a name only, makes a
 * missing one. There is no other create. With both an id and a name the id decides.
 */
export const getContext = route({
  method: "GET",
  path: "/sdk/GetContext",
  operation: "GetContext",
  writes: false,
  usesContexts: true,
  query: z.object({
    id: z.string().default(""),
    name: z.string().default(""),
    allowCreate: z
      .string()
      .toLowerCase()
      .pipe(z.enum(["true", "false"], { error: "must be true or false" }))
      .default("false"),
    loginRegionId: z.string().default(""),
  }),
  body: nothing,
  async handle({ query }, { contexts, contextFolder }) {
    const [contextId, name] = [query.id.trim(), query.name.trim()];
    const regionId = query.loginRegionId.trim() || defaultRegionId;
    const isCreate = query.allowCreate === "true";
    if (contextId === "" && name === "") {
      throw invalidRequest("name: either an id or a name is required");
    }
    if (isCreate && contextId !== "") {
      throw invalidRequest("id: must not be given together with allowCreate=true");
    }
    const found = contextId === "" ? contexts.findByName(name, regionId) : contexts.find(contextId);
    if (found === undefined && !isCreate) {
      throw contextNotFound();
    }
    const record = found ?? contexts.create(name, regionId);
    // Also when it was found: the create it came from may not be on disk yet.
    if (isCreate) {
      await contextFolder.save();
    }
    return { data: { ...describe(record), state: contexts.state(record) } };
  },
});

/** GET /sdk/ListContexts: newest first; paging is at the top level, where the sibling platform has it. */
export const listContexts = route({
  method: "GET",
  path: "/sdk/ListContexts",
  operation: "ListContexts",
  writes: false,
  usesContexts: true,
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
