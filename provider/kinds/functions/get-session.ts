import { z } from "zod";
import { findSession } from "../../lifecycle/found-sessions";
import { lookUp } from "./look-up";
import {
  anyLabels,
  missingSession,
  sessionIdInput,
  sessionIdOutput,
  sessionWords,
  withoutOwnLabels,
} from "./properties";

/** Looks up a running session by its id. */
export const getSession = lookUp({
  name: "getAgbSession",
  noun: "session",
  by: "id",
  inputs: { sessionId: sessionIdInput },
  outputs: {
    sessionId: sessionIdOutput,
    status: { description: "AGB's status of the session, such as `RUNNING`.", type: z.string() },
    labels: {
      description: "The labels of the session, without those that begin with `pulumi-`.",
      type: anyLabels,
    },
    labelsAll: { description: "All labels of the session.", type: anyLabels },
    appInstanceId: {
      description: "AGB's id of the running instance behind the session.",
      type: z.string().optional(),
    },
    resourceId: { description: "AGB's id of the resource behind the session.", type: z.string().optional() },
  },
  missing: missingSession,
  describe: ({ sessionId }) => `look up ${sessionWords(sessionId)}`,
  call: async (client, { sessionId }) => {
    const found = await findSession(client, sessionId);
    if (found === undefined) {
      return "missing";
    }
    const { labels: labelsAll, status, appInstanceId, resourceId } = found;
    return { sessionId, status, labels: withoutOwnLabels(labelsAll), labelsAll, appInstanceId, resourceId };
  },
});
