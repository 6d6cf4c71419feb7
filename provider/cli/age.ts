const units = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
] as const;

/** How long ago something was, in its largest unit: `40s`, `5m`, `3h` or `2d`. A moment in the future is `0s` ago. */
export function formatAge(since: Date, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - since.getTime()) / 1_000));
  const [unit, size] = units.find(([, each]) => seconds >= each) ?? ["s", 1];
  return `${Math.floor(seconds / size)}${unit}`;
}
