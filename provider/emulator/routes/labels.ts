import { z } from "zod";
import { checkLabelLimits, parseLabelText } from "../labels";
import { nothing, requiredText, requireRunning, route, sessionParameter } from "./route";

/**
 * POST /sdk/SetLabel, with a capital L in `Labels`. Replaces all labels: the sibling platform's live test requires it,
 * and AGB's own label test calls it correct; a page of the sibling says it merges. `{}` removes all labels.
 */
export const setLabel = route({
  method: "POST",
  path: "/sdk/SetLabel",
  operation: "SetLabel",
  writes: true,
  query: z.object({ sessionId: requiredText, Labels: requiredText }),
  body: nothing,
  handle({ query }, { sessions, settings }) {
    const record = requireRunning(sessions, query.sessionId);
    const given = parseLabelText("Labels", query.Labels);
    const labels =
      settings.setLabel === "merge"
        ? Object.fromEntries([...Object.entries(record.labels), ...Object.entries(given)])
        : given;
    checkLabelLimits("Labels", labels, settings.labelLimits);
    sessions.setLabels(record, labels);
    return {};
  },
});

/** GET /sdk/GetLabel. The labels are a JSON text inside the JSON reply; the paging parameters are ignored. */
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
