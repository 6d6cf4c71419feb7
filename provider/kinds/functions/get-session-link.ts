import { z } from "zod";
import { isLinkedPort, linkedPorts } from "../../api/linked-ports";
import { getLink } from "../../api/links";
import { unlessGone } from "../../api/unless-gone";
import { mustBe, ruleCode } from "../types";
import { lookUp } from "./look-up";
import { missingSession, secretUrl, sessionIdInput, sessionIdOutput, sessionWords } from "./properties";

const linkedPort = z
  .number(mustBe("a number"))
  .refine(isLinkedPort, {
    error: `must be a whole number from ${linkedPorts.first} to ${linkedPorts.last}: AGB links to no other port`,
    ...ruleCode("AGB961"),
  })
  .meta({ type: "integer" });

/** Asks for an address of a port of a session. */
export const getSessionLink = lookUp({
  name: "getAgbSessionLink",
  noun: "session",
  by: "id",
  inputs: {
    sessionId: sessionIdInput,
    port: {
      description: `Port in the session, from ${linkedPorts.first} to ${linkedPorts.last}.`,
      type: linkedPort,
      example: linkedPorts.first,
    },
    protocol: {
      description: "Protocol of the address: `https`, or `wss` for a WebSocket.",
      type: z.enum(["https", "wss"]).optional(),
      example: "wss",
    },
  },
  outputs: { sessionId: sessionIdOutput, url: secretUrl },
  missing: missingSession,
  describe: ({ sessionId, port }) => `get a link to port ${port} of ${sessionWords(sessionId)}`,
  call: async (client, { sessionId, port, protocol }) => {
    const url = await unlessGone(getLink(client, sessionId, port, protocol));
    return url === undefined ? "missing" : { sessionId, url };
  },
});
