import { z } from "zod";
import { labelSecrets } from "../../api/known-secrets";
import { findSessions } from "../../lifecycle/found-sessions";
import { isReleasedStatus } from "../../lifecycle/session";
import { lookUp } from "./look-up";
import { anyLabels, withoutOwnLabels } from "./properties";

const foundSession = z.object({
  sessionId: z.string(),
  status: z.string(),
  labels: anyLabels,
  labelsAll: anyLabels,
});

/** Finds the running sessions that carry some labels. */
export const getSessions = lookUp({
  name: "getAgbSessions",
  noun: "session",
  by: "labels",
  inputs: {
    labels: {
      description: "Labels that each session carries. A session may carry others too.",
      type: anyLabels.optional(),
      example: { project: "shop" },
    },
  },
  outputs: {
    sessions: { description: "The sessions, in the order of their ids.", type: z.array(foundSession) },
    sessionIds: { description: "Their ids, in the same order.", type: z.array(z.string()) },
  },
  describe: () => "list the sessions",
  secrets: ({ labels = {} }) => labelSecrets(labels),
  call: async (client, { labels }) => {
    const sessions: z.infer<typeof foundSession>[] = [];
    for await (const { sessionId, status, labels: labelsAll } of findSessions(client, labels)) {
      if (!isReleasedStatus(status)) {
        sessions.push({ sessionId, status, labels: withoutOwnLabels(labelsAll), labelsAll });
      }
    }
    sessions.sort((one, other) => (one.sessionId < other.sessionId ? -1 : 1));
    return { sessions, sessionIds: sessions.map(({ sessionId }) => sessionId) };
  },
});
