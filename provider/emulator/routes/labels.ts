import { z } from "zod";
import { checkLabelLimits, parseLabels } from "../labels";
import { nothing, requiredString, requireRunning, route, sessionParameter } from "./route";

/**
 * POST /sdk/SetLabel: replaces all labels; `{}` removes them. The parameter `Labels` has a capital L. The sibling platform's
 * live test requires that labels are replaced, and AGB's own label test accepts it; a page of the sibling says they merge.
 */
export const setLabel = route({
  method: "POST",
  path: "/sdk/SetLabel",
  operation: "SetLabel",
  writes: true,
  query: z.object({ sessionId: requiredString, Labels: requiredString }),
  body: nothing,
  handle({ query }, { sessions, settings }) {
    const record = requireRunning(sessions, query.sessionId);
    const given = parseLabels("Labels", query.Labels);
    const labels =
      settings.setLabel === "merge"
        ? Object.fromEntries([...Object.entries(record.labels), ...Object.entries(given)])
        : given;
    checkLabelLimits("Labels", labels, settings.labelLimits);
    sessions.setLabels(record, labels);
    return {};
  },
});

/** GET /sdk/GetLabel: the labels as a JSON string inside the JSON reply. Ignores the paging parameters. */
export const getLabel = route({
  method: "GET",
  path: "/sdk/GetLabel",
  operation: "GetLabel",
  writes: false,
  query: sessionParameter,
  body: nothing,
  handle({ query }, { sessions }) {
    return { data: { labels: JSON.stringify(requireRunning(sessions, query.sessionId).labels) } };
  },
});
