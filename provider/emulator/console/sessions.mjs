// The table of sessions, with buttons to cause drift by hand.

import { showAnnouncement } from "./announcement.mjs";
import { change } from "./calls.mjs";
import { cell, element, keepRows, setText } from "./elements.mjs";
import { editLabels } from "./label-dialog.mjs";
import { countdownText, dayAndTimeText, durationText } from "./time-text.mjs";

const table = document.getElementById("sessions");
const body = table.tBodies[0];
const more = document.getElementById("sessions-more");
/** By session id, as in the emulator's last event. */
let sessionsById = new Map();
let lastNowMs = 0;

export function showSessions({ count, sessions }) {
  const focusedRow = document.activeElement?.closest("tr");
  const focusedIndex = focusedRow ? [...body.rows].indexOf(focusedRow) : -1;
  sessionsById = new Map(sessions.map((session) => [session.sessionId, session]));
  setText(document.getElementById("sessions-count"), String(count));
  document.getElementById("sessions-empty").hidden = count > 0;
  table.hidden = count === 0;
  more.hidden = count <= sessions.length;
  setText(more, `The newest ${sessions.length} of ${count} are shown.`);
  keepRows(body, sessions, ({ sessionId }) => sessionId, makeRow);
  for (const row of body.rows) {
    updateRow(row, sessionsById.get(row.dataset.key));
  }
  showSessionTimes(lastNowMs);
  keepFocusNear(focusedRow, focusedIndex);
}

/** Updates ages and countdowns. */
export function showSessionTimes(nowMs) {
  lastNowMs = nowMs;
  for (const row of body.rows) {
    const session = sessionsById.get(row.dataset.key);
    const leftMs = session.releaseDueAtMs - nowMs;
    const isLifetime = session.releaseDueAtMs < session.lastActivityAtMs + session.idleTimeoutSeconds * 1000;
    setText(part(row, "age"), durationText(nowMs - session.createdAtMs));
    setText(
      part(row, "left"),
      session.state === "RUNNING" ? `${countdownText(leftMs)}${isLifetime ? " (maximum lifetime)" : ""}` : "–",
    );
    part(row, "bar").value = session.state === "RUNNING" ? leftMs / (session.idleTimeoutSeconds * 1000) : 0;
  }
}

function makeRow({ sessionId, imageId, createdAtMs }) {
  const button = (text, onClick) => {
    const created = element("button", { type: "button", textContent: text });
    created.setAttribute("aria-label", `${text}: ${sessionId}`);
    created.addEventListener("click", onClick);
    return created;
  };
  const bar = element("progress", { max: 1, className: "bar" });
  bar.setAttribute("aria-hidden", "true");
  return element(
    "tr",
    { className: "new" },
    cell("Session", "identifier", element("div", {}, sessionId, element("span", { className: "image" }, imageId))),
    cell("Labels", "", element("ul", { className: "labels" })),
    cell("Age", "age-cell", element("span", { className: "age", title: `Since ${dayAndTimeText(createdAtMs)}` })),
    cell("Idle time left", "left-cell", element("div", {}, element("span", { className: "left" }), bar)),
    cell("State", "", element("span", { className: "state" })),
    cell(
      "",
      "actions-cell",
      element(
        "div",
        { className: "actions" },
        button("Edit labels", () => editLabels(sessionsById.get(sessionId))),
        button("Release", () => release(sessionId)),
      ),
    ),
  );
}

function updateRow(row, { labels, state }) {
  const isRunning = state === "RUNNING";
  const shown = JSON.stringify(labels);
  if (row.dataset.labels !== shown) {
    row.dataset.labels = shown;
    part(row, "labels").replaceChildren(
      ...Object.entries(labels).map(([key, value]) => element("li", { className: "chip" }, `${key}: ${value}`)),
    );
  }
  setText(part(row, "state"), isRunning ? "Running" : "Releasing");
  part(row, "state").className = `state ${isRunning ? "good" : "warning"}`;
  for (const button of row.querySelectorAll("button")) {
    button.disabled = !isRunning;
  }
}

async function release(sessionId) {
  await change("DELETE", `sessions/${encodeURIComponent(sessionId)}`).then(
    () => showAnnouncement(`Released ${sessionId}.`),
    (error) => showAnnouncement(`${sessionId} was not released: ${error.message}`, "failure"),
  );
}

// Keyboard users must not be sent to the top of the page when a row disappears.
function keepFocusNear(focusedRow, focusedIndex) {
  if (focusedIndex < 0 || focusedRow.isConnected) {
    return;
  }
  const next = body.rows[Math.min(focusedIndex, body.rows.length - 1)]?.querySelector("button:not(:disabled)");
  (next ?? document.getElementById("sessions-title")).focus();
}

function part(row, className) {
  return row.querySelector(`.${className}`);
}
