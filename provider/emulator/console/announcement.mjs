// The line that tells what became of the last click, on the screen and to screen readers.

const line = document.getElementById("announcement");

export function showAnnouncement(text, kind = "success") {
  line.dataset.kind = kind;
  line.textContent = text;
}
