import { z } from "zod";
import { contextNameTaken } from "../failures";
import { nothing, requireContext, requiredString, route } from "./route";

const contextParameter = z.object({ id: requiredString });

/** POST /sdk/ModifyContext: renames a context. A name that another context of the region has is refused. */
export const modifyContext = route({
  method: "POST",
  path: "/sdk/ModifyContext",
  operation: "ModifyContext",
  writes: true,
  usesContexts: ({ query }) => [query.id],
  query: contextParameter.extend({ name: requiredString }),
  body: nothing,
  handle({ query }, { contexts }) {
    const record = requireContext(contexts, query.id);
    const name = query.name.trim();
    const holder = contexts.findByName(name, record.regionId);
    if (holder !== undefined && holder.contextId !== record.contextId) {
      throw contextNameTaken();
    }
    contexts.rename(record, name);
    return {};
  },
});

/** POST /sdk/DeleteContext: also possible while a session mounts it. What that session uploads later is lost. */
export const deleteContext = route({
  method: "POST",
  path: "/sdk/DeleteContext",
  operation: "DeleteContext",
  writes: true,
  usesContexts: ({ query }) => [query.id],
  query: contextParameter,
  body: nothing,
  handle({ query }, { contexts }) {
    contexts.remove(requireContext(contexts, query.id));
    return {};
  },
});

/** POST /sdk/ClearContext: begins to wipe the files. Another call during a wipe starts it again. */
export const clearContext = route({
  method: "POST",
  path: "/sdk/ClearContext",
  operation: "ClearContext",
  writes: true,
  usesContexts: ({ query }) => [query.id],
  query: contextParameter,
  body: nothing,
  handle({ query }, { contexts }) {
    contexts.wipe(requireContext(contexts, query.id));
    return {};
  },
});
