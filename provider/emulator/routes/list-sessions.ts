import { z } from "zod";
import { parseLabels } from "../labels";
import { cutPage, pageParameters } from "./page";
import { nothing, route } from "./route";

/** GET /sdk/ListSession: running sessions, newest first. Ignores `isAll`, because nothing is known about its meaning. */
export const listSessions = route({
  method: "GET",
  path: "/sdk/ListSession",
  operation: "ListSession",
  writes: false,
  query: pageParameters.extend({ labels: z.string().default("") }),
  body: nothing,
  handle({ query }, { sessions, settings }) {
    const filter = query.labels === "" ? {} : parseLabels("labels", query.labels);
    const { page, ...paging } = cutPage(sessions.list(filter), query, settings.pageCap);
    return { data: page.map((record) => ({ sessionId: record.sessionId, sessionStatus: "RUNNING" })), ...paging };
  },
});
