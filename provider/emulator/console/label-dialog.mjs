// The dialog for editing the labels of one session.

import { showAnnouncement } from "./announcement.mjs";
import { change } from "./calls.mjs";
import { element } from "./elements.mjs";

const dialog = document.getElementById("label-dialog");
const form = document.getElementById("label-form");
const rows = document.getElementById("label-rows");
const failure = document.getElementById("label-error");
let sessionId = "";
let rowsMade = 0;

/** Opens the dialog with the session's labels. */
export function editLabels(session) {
  sessionId = session.sessionId;
  document.getElementById("label-dialog-session").textContent = sessionId;
  failure.textContent = "";
  rows.replaceChildren(...Object.entries(session.labels).map(([key, value]) => makeRow(key, value)));
  if (rows.childElementCount === 0) {
    rows.append(makeRow("", ""));
  }
  dialog.showModal();
  rows.querySelector("input")?.focus();
}

function makeRow(key, value) {
  rowsMade += 1;
  const field = (name, text) => {
    const id = `label-${name}-${rowsMade}`;
    const input = element("input", { id, value: text, name, autocomplete: "off", spellcheck: false });
    const label = element("label", { htmlFor: id }, name === "key" ? "Name" : "Value");
    return element("div", {}, label, input);
  };
  const remove = element("button", { type: "button", textContent: "Remove" });
  remove.setAttribute("aria-label", `Remove the label ${key || "in this row"}`);
  const row = element("div", { className: "label-row" }, field("key", key), field("value", value), remove);
  remove.addEventListener("click", () => {
    const near = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (near?.querySelector("input") ?? document.getElementById("label-add")).focus();
  });
  return row;
}

function readLabels() {
  const entries = [...rows.children].map((row) => [...row.querySelectorAll("input")].map((input) => input.value));
  const filled = entries.filter(([key, value]) => key.trim() !== "" || value !== "");
  const keys = filled.map(([key]) => key);
  if (keys.some((key) => key.trim() === "")) {
    throw new Error("A label has a value but no name.");
  }
  if (new Set(keys).size < keys.length) {
    throw new Error("Two labels have the same name.");
  }
  return Object.fromEntries(filled);
}

document.getElementById("label-add").addEventListener("click", () => {
  rows.append(makeRow("", ""));
  rows.lastElementChild.querySelector("input").focus();
});

document.getElementById("label-cancel").addEventListener("click", () => dialog.close());

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await change("PUT", `sessions/${encodeURIComponent(sessionId)}/labels`, { labels: readLabels() });
    dialog.close();
    showAnnouncement(`Saved the labels of ${sessionId}.`);
  } catch (error) {
    failure.textContent = error.message;
  }
});
