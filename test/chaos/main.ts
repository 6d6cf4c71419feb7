// `npm run test:chaos -- [KILLS] [--proxy | --neighbour]`: the real engine is killed at random moments of up, refresh and destroy, half of
// the time together with the provider process. After each kill one `up` must end in the declared state, and what neither the
// state nor that run knows must be found by the sweep. With `--proxy` a proxy between provider and emulator loses, delays and
// cuts requests and replies until the kill. With `--neighbour` a stack of the same names in another backend uses the same
// account, and nothing of it may go. Prints a table; fails when a session is lost or a process lives on.

import { parseArgs } from "node:util";
import { startEmulator } from "../../provider/emulator";
import { createPulumiProject } from "../support/pulumi-project";
import { commands, killDuring, victims } from "./kill";
import { type Mode, modes } from "./modes";
import { programFiles, roundConfiguration } from "./program";
import { recover } from "./recover";
import { emptyTally, printTallies, type Tally } from "./report";

const key = "ako-chaos-test";

async function main(): Promise<void> {
  const { kills, mode } = readArguments();
  const startedAt = performance.now();
  const emulator = await startEmulator({ apiKeys: [key], latencyMs: 120, releaseDelayMs: 300 });
  const surroundings = await mode.surround(emulator, key);
  const environment = { AGB_API_KEY: key, AGB_ENDPOINT: surroundings.endpoint };
  const project = await createPulumiProject({ files: programFiles, environment });
  const tallies = new Map<string, Tally>();
  let done = 0;
  let longestDelayMs = mode.longestDelayMs;
  try {
    while (done < kills && performance.now() - startedAt < mode.limitMs) {
      const command = commands[done % commands.length] ?? "up";
      const victim = victims[Math.floor(done / commands.length) % victims.length] ?? "engine";
      const others = await surroundings.prepare();
      await project.configure(roundConfiguration(done));
      const name = `${command}, ${victim} killed`;
      const tally = tallies.get(name) ?? emptyTally();
      tallies.set(name, tally);
      tally.runs += 1;
      await killDuring(project, emulator, { command, victim, longestDelayMs }, tally);
      await surroundings.calmDown();
      const upMs = await recover(project, emulator, others, tally);
      // On a busy machine a run takes longer, and the kill must be able to come at its end too.
      longestDelayMs = Math.max(mode.longestDelayMs, upMs);
      surroundings.stirUp();
      done += 1;
    }
  } finally {
    await project.close();
    await surroundings.close();
    await emulator.close();
  }
  const { lost, leftover } = printTallies(tallies);
  console.log(`${done} of ${kills} kills in ${Math.round((performance.now() - startedAt) / 1_000)} s`);
  console.log(surroundings.describe() ?? "");
  if (lost > 0 || leftover > 0 || done < Math.min(kills, 30)) {
    process.exitCode = 1;
  }
}

function readArguments(): { kills: number; mode: Mode } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: Object.fromEntries(Object.keys(modes).map((name) => [name, { type: "boolean" as const }])),
  });
  const name = Object.keys(values)[0] ?? "plain";
  return { kills: Number(positionals[0] ?? 30), mode: modes[name] as Mode };
}

void main();
