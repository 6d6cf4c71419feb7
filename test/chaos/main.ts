// `npm run test:chaos -- [KILLS] [--proxy | --neighbour] [--plugin]` kills the real engine at random moments of up, refresh and
// destroy, half of the time together with the provider process. After each kill, one `up` must restore the declared state, and
// the sweep must find every other session. With `--proxy`, a proxy between provider and emulator loses, delays and cuts requests
// and replies until the kill. With `--neighbour`, a stack with the same names in another backend uses the same account, and none
// of its sessions may be released. With `--plugin`, the native plugin serves the sessions, not the dynamic provider. Prints a
// table. Fails when a session is lost or a process does not end.

import { parseArgs } from "node:util";
import { startEmulator } from "../../provider/emulator";
import type { Host } from "../support/resource-hosts";
import { commands, killDuring, victims } from "./kill";
import { type Mode, modes } from "./modes";
import { createChaosProject, roundConfiguration } from "./program";
import { recover } from "./recover";
import { emptyTally, printTallies, type Tally } from "./report";

const key = "ako-chaos-test";

async function main(): Promise<void> {
  const { kills, mode, host } = readArguments();
  const startedAt = performance.now();
  const emulator = await startEmulator({ apiKeys: [key], latencyMs: 120, releaseDelayMs: 300 });
  const runningMode = await mode.start(emulator, key, host);
  const project = await createChaosProject(host, { AGB_API_KEY: key, AGB_ENDPOINT: runningMode.endpoint });
  const tallies = new Map<string, Tally>();
  let done = 0;
  let longestDelayMs = mode.longestDelayMs;
  try {
    while (done < kills && performance.now() - startedAt < mode.limitMs) {
      const command = commands[done % commands.length] ?? "up";
      const victim = victims[Math.floor(done / commands.length) % victims.length] ?? "engine";
      const others = await runningMode.beforeKill();
      await project.configure(roundConfiguration(done));
      const name = `${command}, ${victim} killed`;
      const tally = tallies.get(name) ?? emptyTally();
      tallies.set(name, tally);
      tally.runs += 1;
      await killDuring(project, emulator, { command, victim, longestDelayMs }, tally);
      await runningMode.beforeRecovery();
      const upMs = await recover(project, emulator, others, tally);
      // Runs take longer on a busy machine, and some kills must hit the end of a run too.
      longestDelayMs = Math.max(mode.longestDelayMs, upMs);
      runningMode.afterRecovery();
      done += 1;
    }
  } finally {
    await project.close();
    await runningMode.close();
    await emulator.close();
  }
  const { lost, leftover } = printTallies(tallies);
  console.log(`${done} of ${kills} kills in ${Math.round((performance.now() - startedAt) / 1_000)} s`);
  console.log(runningMode.describe() ?? "");
  if (lost > 0 || leftover > 0 || done < Math.min(kills, 30)) {
    process.exitCode = 1;
  }
}

function readArguments(): { kills: number; mode: Mode; host: Host } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: Object.fromEntries([...Object.keys(modes), "plugin"].map((name) => [name, { type: "boolean" as const }])),
  });
  const { plugin, ...chosen } = values;
  const name = Object.keys(chosen)[0] ?? "plain";
  return { kills: Number(positionals[0] ?? 30), mode: modes[name] as Mode, host: plugin ? "plugin" : "dynamic" };
}

void main();
