// The table of contexts.

import { cell, element, keepRows } from "./elements.mjs";
import { dayAndTimeText } from "./time-text.mjs";

const table = document.getElementById("contexts");

export function showContexts({ contexts }) {
  document.getElementById("contexts-count").textContent = String(contexts.length);
  document.getElementById("contexts-empty").hidden = contexts.length > 0;
  table.hidden = contexts.length === 0;
  // What can change is part of the key: rows without buttons can be recreated.
  keepRows(
    table.tBodies[0],
    contexts,
    ({ contextId, name, state }) => JSON.stringify([contextId, name, state]),
    ({ contextId, name, state, createdAtMs }) =>
      element(
        "tr",
        {},
        cell("Name", "", name),
        cell("Context", "identifier", contextId),
        cell("Created", "", dayAndTimeText(createdAtMs)),
        cell("State", "state", state),
      ),
  );
}
