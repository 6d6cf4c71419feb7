// The console page: follows the emulator's events and hands each part to the module that shows it.

import { showAnnouncement } from "./announcement.mjs";
import { change, pageToken } from "./calls.mjs";
import { showClock } from "./clock.mjs";
import { showContexts } from "./contexts.mjs";
import { showRequests } from "./requests.mjs";
import { showSessions, showSessionTimes } from "./sessions.mjs";

const connection = document.getElementById("connection");

function setConnection(state, text) {
  // Not said again while it stays the same: it is read aloud.
  if (connection.dataset.state !== state) {
    connection.dataset.state = state;
    connection.textContent = text;
  }
}

function follow() {
  const events = new EventSource(`events?token=${encodeURIComponent(pageToken)}`);
  const on = (name, show) => events.addEventListener(name, (event) => show(JSON.parse(event.data)));
  let wasLive = false;
  events.onopen = () => {
    wasLive = true;
    setConnection("live", "Live");
  };
  events.onerror = () => {
    setConnection("lost", "Connection lost, trying again");
    // The emulator refused: it was started anew and knows another token, which a new page carries.
    if (events.readyState === EventSource.CLOSED && wasLive) {
      location.reload();
    }
  };
  on("clock", ({ nowMs }) => {
    showClock(nowMs);
    showSessionTimes(nowMs);
  });
  on("sessions", showSessions);
  on("contexts", showContexts);
  on("requests", showRequests);
}

for (const button of document.querySelectorAll("[data-advance-ms]")) {
  button.addEventListener("click", async () => {
    await change("POST", "clock", { advanceMs: Number(button.dataset.advanceMs) }).then(
      () => showAnnouncement(`The clock is ${button.textContent.slice(1)} further.`),
      (error) => showAnnouncement(error.message, "failure"),
    );
  });
}

follow();
