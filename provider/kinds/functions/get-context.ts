import { z } from "zod";
import { findContext } from "../../api/contexts";
import { quoted } from "../../api/outside-text";
import { contextProperties } from "../context";
import { lookUp } from "./look-up";

/** Looks up a context by its name. */
export const getContext = lookUp({
  name: "getAgbContext",
  noun: "context",
  by: "name",
  inputs: {
    name: { description: "Name of the context.", type: contextProperties.name.type, example: "build-cache" },
  },
  outputs: {
    contextId: { description: "AGB's id of the context.", type: z.string() },
    name: { description: "Name of the context.", type: z.string() },
    state: {
      description: "AGB's state of the context, such as `available` or `clearing`. Empty if AGB names none.",
      type: z.string(),
    },
  },
  missing: {
    code: "AGB963",
    text: "Check the name and the account. To create a context, declare one in the program.",
  },
  describe: ({ name }) => `look up context ${quoted(name)}`,
  call: async (client, { name }) => (await findContext(client, name)) ?? "missing",
});
