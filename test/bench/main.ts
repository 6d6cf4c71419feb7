// `npm run bench [-- --rounds N]` compares sessions of the npm package and of the plugin with the floor, a dynamic resource whose
// methods return immediately. Prints tables of times, bytes in the state and API calls. It has no pass or fail; only a failing run
// makes it fail.

import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { countApiCalls, type OperationCalls } from "./api-calls";
import { callRows } from "./call-rows";
import { ratioRows, stateRows, timeRows } from "./life-tables";
import { findMissingSubjects, prepareSubject, type Subject, type SubjectName, subjectNames } from "./subject";
import { formatTable } from "./table";
import { phases, type TimedLife, timeLife } from "./timed-life";

const largeCount = 100;

async function runBenchmark(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: "string", default: "3" } } });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error("--rounds must be a whole number, 1 or more");
  }
  const missing = findMissingSubjects();
  const reportMissing = () => {
    for (const [name, reason] of missing) {
      console.log(`\n*** ${name} is NOT MEASURED: ${reason}. ***`);
    }
  };
  reportMissing();
  const subjects: Subject[] = [];
  try {
    for (const name of subjectNames.filter((each) => !missing.has(each))) {
      subjects.push(await prepareSubject(name));
    }
    console.log(`${rounds} rounds, emulator without latency, load average ${loadavg()[0]?.toFixed(2)} at the start`);
    await measure(subjects, rounds);
    reportMissing();
    console.log(`\nload average ${loadavg()[0]?.toFixed(2)} at the end`);
  } finally {
    await Promise.all(subjects.map((subject) => subject.close()));
  }
}

async function measure(subjects: readonly Subject[], rounds: number): Promise<void> {
  // The first run reads files that are not cached yet.
  for (const subject of subjects) {
    await timeLife(subject, 1);
  }
  const [small, large] = [emptyLives(subjects), emptyLives(subjects)];
  const lives = new Map([
    [1, small],
    [largeCount, large],
  ]);
  for (let round = 0; round < rounds; round++) {
    for (const [size, bySubject] of lives) {
      // Rounds alternate which subject runs first, so that none always has the warmer machine.
      for (const subject of round % 2 === 0 ? subjects : [...subjects].reverse()) {
        const life = await timeLife(subject, size);
        bySubject.get(subject.name)?.push(life);
        const times = phases.map((phase) => `${phase} ${life.seconds[phase].toFixed(2)} s`).join(", ");
        console.error(`round ${round + 1}: ${size} x ${subject.name}: ${times}`);
      }
    }
  }
  console.log(`\nTime, median (spread)\n\n${formatTable(timeRows(lives))}`);
  console.log(`\nTime divided by the floor's in the same round, median (spread); target: at most 1.25\n`);
  console.log(formatTable(ratioRows(lives)));
  console.log("\nState per session with 3 labels\n");
  console.log(formatTable(stateRows(small, large, largeCount)));
  console.log(
    "\nFile: growth of the checkpoint in the file backend per session, with the stack traces that the engine adds.",
  );
  console.log("Compact: the session in `stack export` as JSON without blanks, source position and stack trace.");
  console.log("Trace: what source position and stack trace add to that.");
  console.log("Properties: only its inputs and outputs, which the provider decides. The engine adds the rest.");

  const calls = new Map<SubjectName, OperationCalls>();
  for (const subject of subjects.filter(({ name }) => name !== "floor")) {
    calls.set(subject.name, await countApiCalls(subject, 10));
  }
  console.log("\nAPI calls per session, from the emulator's journal\n");
  console.log(formatTable(callRows(calls)));
}

function emptyLives(subjects: readonly Subject[]): Map<SubjectName, TimedLife[]> {
  return new Map(subjects.map(({ name }) => [name, []]));
}

runBenchmark().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
