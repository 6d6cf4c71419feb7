// The line that shows the result of the last click, and that screen readers read aloud.

const line = document.getElementById("announcement");

export function showAnnouncement(text, kind = "success") {
  line.dataset.kind = kind;
  line.textContent = text;
}
