// The console page: receives the emulator's events and passes each part to the module that shows it.

import { showAnnouncement } from "./announcement.mjs";
import { change, pageToken } from "./calls.mjs";
import { showClock } from "./clock.mjs";
import { showContexts } from "./contexts.mjs";
import { showRequests } from "./requests.mjs";
import { showSessions, showSessionTimes } from "./sessions.mjs";

const connection = document.getElementById("connection");

function setConnection(state, text) {
  // Set only when it changes, because screen readers read it aloud.
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
    setConnection("lost", "Connection lost, reconnecting");
    // The emulator refused the token: it was restarted and has a new one, which is in a new page.
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
      () => showAnnouncement(`Moved the clock ahead by ${button.textContent.slice(1)}.`),
      (error) => showAnnouncement(error.message, "failure"),
    );
  });
}

follow();
