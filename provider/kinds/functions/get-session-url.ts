import { getResourceUrl } from "../../api/links";
import { unlessGone } from "../../api/unless-gone";
import { lookUp } from "./look-up";
import { missingSession, secretUrl, sessionIdInput, sessionIdOutput, sessionWords } from "./properties";

/** Asks for the address at which a person sees a session in a browser. */
export const getSessionUrl = lookUp({
  name: "getAgbSessionUrl",
  noun: "session",
  by: "id",
  inputs: { sessionId: sessionIdInput },
  outputs: { sessionId: sessionIdOutput, url: secretUrl },
  missing: missingSession,
  describe: ({ sessionId }) => `get the address of ${sessionWords(sessionId)}`,
  call: async (client, { sessionId }) => {
    const url = await unlessGone(getResourceUrl(client, sessionId));
    return url === undefined ? "missing" : { sessionId, url };
  },
});
