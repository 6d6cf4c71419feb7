// The table of the last requests.

import { cell, element, keepRows } from "./elements.mjs";
import { timeText } from "./time-text.mjs";

const box = document.getElementById("requests-box");
const body = document.getElementById("requests").tBodies[0];

export function showRequests({ requests }) {
  document.getElementById("requests-count").textContent = String(requests.length);
  document.getElementById("requests-empty").hidden = requests.length > 0;
  box.hidden = requests.length === 0;
  keepRows(body, requests, ({ requestId }) => requestId, makeRow);
}

function makeRow({ atMs, operation, method, path, status, durationMs, sessionId, requestId }) {
  const name = operation === "unknown" ? `${method} ${path}` : operation;
  return element(
    "tr",
    {},
    cell("Time", "", timeText(atMs)),
    cell("Operation", "identifier", name),
    cell("Status", `state ${statusClass(status)}`, status === 0 ? "reset" : String(status)),
    cell("Duration", "number", `${durationMs.toFixed(1)} ms`),
    cell("Session", "identifier", sessionId ?? "–"),
    cell("Request id", "identifier quiet", requestId),
  );
}

function statusClass(status) {
  if (status >= 200 && status < 300) {
    return "good";
  }
  return status >= 400 && status < 500 ? "warning" : "bad";
}
