// Times as people read them.

const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const dayAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function timeText(atMs) {
  return timeOfDay.format(atMs);
}

export function dayAndTimeText(atMs) {
  return dayAndTime.format(atMs);
}

/** `4:05`, or `1:04:05` from an hour on. Never negative. */
export function countdownText(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const digits = (value) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}:${digits(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${digits(minutes % 60)}:${digits(seconds % 60)}`;
}

/** The two largest units: `12 s`, `4 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function durationText(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const units = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = units.findIndex(([count]) => count > 0);
  return first < 0
    ? "0 s"
    : units
        .slice(first, first + 2)
        .filter(([count]) => count > 0)
        .map(([count, unit]) => `${count} ${unit}`)
        .join(" ");
}
