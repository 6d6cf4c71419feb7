import { InvalidArgumentError } from "commander";

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** The longest time that a command takes as an option, in milliseconds. Sessions live much shorter. */
export const longestDurationMs = 24 * 3_600_000;

/** Parses a duration from one second to `longestDurationMs`. @returns milliseconds */
export function parseLimitedDurationMs(text: string): number {
  const durationMs = parseDurationMs(text);
  if (durationMs < 1_000 || durationMs > longestDurationMs) {
    throw new InvalidArgumentError("Give a time from 1s to 24h.");
  }
  return durationMs;
}

/** Parses a duration such as `90s`, `10m` or `2h`. @returns milliseconds */
export function parseDurationMs(text: string): number {
  const [, amount, unit] = /^(\d+)([smh])$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) {
    throw new InvalidArgumentError("Give it as 90s, 10m or 2h.");
  }
  return Number(amount) * (unitsMs[unit] ?? 0);
}
