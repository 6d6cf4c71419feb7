import { formatRange, median } from "./statistics";
import { comparedNames, type SubjectName, subjectNames } from "./subject";
import { phases, type TimedLife } from "./timed-life";

/** The lives of each subject that was measured. */
export type LivesBySubject = ReadonlyMap<SubjectName, readonly TimedLife[]>;

/** What a subject's column says if this computer cannot measure it. */
export const notMeasured = "NOT MEASURED";

/** Rows of a table of times: for each number of sessions and each command, the median and the spread in seconds. */
export function timeRows(lives: ReadonlyMap<number, LivesBySubject>): string[][] {
  return [["", ...subjectNames], ...phaseRows(lives, subjectNames, (seconds) => seconds, " s")];
}

/** Rows of a table of times as multiples of the floor's time in the same round. */
export function ratioRows(lives: ReadonlyMap<number, LivesBySubject>): string[][] {
  const ratios = (seconds: readonly number[], floor: readonly number[]) =>
    seconds.map((each, round) => each / (floor[round] ?? Number.NaN));
  return [["", ...comparedNames], ...phaseRows(lives, comparedNames, ratios, "")];
}

function phaseRows(
  lives: ReadonlyMap<number, LivesBySubject>,
  names: readonly SubjectName[],
  measure: (seconds: readonly number[], floor: readonly number[]) => readonly number[],
  unit: string,
): string[][] {
  return [...lives].flatMap(([size, bySubject]) =>
    phases.map((phase) => {
      const secondsOf = (name: SubjectName) => (bySubject.get(name) ?? []).map(({ seconds }) => seconds[phase]);
      const cell = (values: readonly number[]) =>
        values.length === 0 ? notMeasured : `${median(values).toFixed(2)}${unit} (${formatRange(values)})`;
      return [
        `${phase}, ${size} session${size === 1 ? "" : "s"}`,
        ...names.map((name) => cell(measure(secondsOf(name), secondsOf("floor")))),
      ];
    }),
  );
}

/** Rows of a table of state sizes. `small` and `large` are stacks with one session and with `largeCount` sessions. */
export function stateRows(small: LivesBySubject, large: LivesBySubject, largeCount: number): string[][] {
  const row = (title: string, measure: (large: readonly TimedLife[], small: readonly TimedLife[]) => number) => [
    title,
    ...subjectNames.map((name) => {
      const lives = large.get(name);
      return lives === undefined ? notMeasured : measure(lives, small.get(name) ?? []).toFixed(0);
    }),
  ];
  const fileBytes = (lives: readonly TimedLife[]) => median(lives.map(({ checkpointBytes }) => checkpointBytes));
  const size = (name: keyof TimedLife["resources"]) => (lives: readonly TimedLife[]) =>
    median(lives.map(({ resources }) => resources[name]));
  return [
    ["", ...subjectNames],
    row("file, bytes", (ofLarge, ofSmall) => (fileBytes(ofLarge) - fileBytes(ofSmall)) / (largeCount - 1)),
    row("compact, bytes", size("compactBytes")),
    row("trace, bytes", size("traceBytes")),
    row("properties, bytes", size("propertyBytes")),
    row("`__provider`, characters", size("providerCharacters")),
  ];
}
