// `npm run bench [-- --rounds N]` compares a session with the floor, a dynamic resource whose methods return immediately. Prints
// three tables: times, bytes in the state, API calls. It has no pass or fail; only a failing run makes it fail.

import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { type CallCounts, countApiCalls } from "./api-calls";
import { formatRange, median } from "./statistics";
import type { SubjectName } from "./subject";
import { formatTable } from "./table";
import { phases, type TimedLife, timeLife } from "./timed-life";

const sizes = [1, 100] as const;
const subjects: readonly SubjectName[] = ["floor", "agb"];

type Lives = Record<SubjectName, TimedLife[]>;

async function runBenchmark(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: "string", default: "3" } } });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error("--rounds must be a whole number, 1 or more");
  }
  console.log(`${rounds} rounds, emulator without latency, load average ${loadavg()[0]?.toFixed(2)} at the start`);

  // The first run reads files that are not cached yet.
  for (const subject of subjects) {
    await timeLife(subject, 1);
  }
  const lives = new Map<number, Lives>(sizes.map((size) => [size, { floor: [], agb: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const [size, bySubject] of lives) {
      // Rounds alternate which subject runs first, so that neither always has the warmer machine.
      for (const subject of round % 2 === 0 ? subjects : [...subjects].reverse()) {
        const life = await timeLife(subject, size);
        bySubject[subject].push(life);
        const times = phases.map((phase) => `${phase} ${life.seconds[phase].toFixed(2)} s`).join(", ");
        console.error(`round ${round + 1}: ${size} x ${subject}: ${times}`);
      }
    }
  }

  console.log(`\nTime, median (spread); target: at most 1.25 x floor\n\n${formatTable(timeRows(lives))}`);
  console.log(`\nState per session with 3 labels; target: at most 1,300 bytes\n\n${formatTable(stateRows(lives))}`);
  console.log(
    "\nFile: growth of the checkpoint in the file backend per session, with the stack traces that the engine adds.",
  );
  console.log("Compact: the session in `stack export` as JSON without blanks, source position and stack trace.");
  console.log("Properties: only its inputs and outputs, which the provider decides. The engine adds the rest.");

  const calls = await countApiCalls(10);
  const callRows = [
    ["operation", "calls per session", "of them", "target"],
    ["create", ...callCells(calls.create), "1"],
    ["unchanged refresh", ...callCells(calls.unchanged), "2"],
    ["label edit", ...callCells(calls.labelEdit), "2"],
    ["delete", ...callCells(calls.delete), "1 + looks"],
  ];
  const onceRows = [
    ["once per `up`, however many sessions", "of them", "target"],
    [...callCells(calls.oncePerUp), "1"],
  ];
  console.log(`\nAPI calls, from the emulator's journal\n\n${formatTable(callRows)}\n\n${formatTable(onceRows)}`);
  console.log(`\nload average ${loadavg()[0]?.toFixed(2)} at the end`);
}

function timeRows(lives: ReadonlyMap<number, Lives>): string[][] {
  const rows = [...lives].flatMap(([size, { floor, agb }]) =>
    phases.map((phase) => {
      const [floorSeconds, agbSeconds] = [floor, agb].map((each) => each.map(({ seconds }) => seconds[phase]));
      return [
        `${phase}, ${size} session${size === 1 ? "" : "s"}`,
        secondsCell(floorSeconds ?? []),
        secondsCell(agbSeconds ?? []),
        (median(agbSeconds ?? []) / median(floorSeconds ?? [])).toFixed(2),
        formatRange((agbSeconds ?? []).map((seconds, round) => seconds / (floorSeconds?.[round] ?? Number.NaN))),
      ];
    }),
  );
  return [["", "floor", "pulumi-agb", "ratio", "ratio by round"], ...rows];
}

function stateRows(lives: ReadonlyMap<number, Lives>): string[][] {
  const [small, large] = sizes;
  const row = (title: string, measure: (subject: SubjectName) => number) => [
    title,
    ...subjects.map((subject) => measure(subject).toFixed(0)),
  ];
  const livesOf = (subject: SubjectName, size: number) => lives.get(size)?.[subject] ?? [];
  const fileBytes = (subject: SubjectName, size: number) =>
    median(livesOf(subject, size).map(({ checkpointBytes }) => checkpointBytes));
  return [
    ["", "floor", "pulumi-agb"],
    row("file, bytes", (subject) => (fileBytes(subject, large) - fileBytes(subject, small)) / (large - small)),
    row("compact, bytes", (subject) => median(livesOf(subject, large).map(({ resources }) => resources.compactBytes))),
    row("properties, bytes", (subject) =>
      median(livesOf(subject, large).map(({ resources }) => resources.propertyBytes)),
    ),
    row("`__provider`, characters", (subject) =>
      median(livesOf(subject, large).map(({ resources }) => resources.providerCharacters)),
    ),
  ];
}

function callCells(counts: CallCounts): [string, string] {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return [
    String(total),
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(", "),
  ];
}

function secondsCell(seconds: readonly number[]): string {
  return `${median(seconds).toFixed(2)} s (${formatRange(seconds)})`;
}

runBenchmark().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
