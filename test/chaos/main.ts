// `npm run test:chaos`: the real engine is killed at random moments of up, refresh and destroy, half of the time together
// with the provider process. After each kill one `up` must end in the declared state, and what neither the state nor that
// run knows must be found by the sweep. Prints a table; fails when a session is lost or a process lives on.

import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { AgbClient } from "../../provider/api/client";
import { type Emulator, startEmulator } from "../../provider/emulator";
import { releaseAndWait } from "../../provider/lifecycle/session";
import { findOwnedSessions } from "../../provider/lifecycle/sweep";
import { systemClock } from "../../provider/lifecycle/wait";
import { pulumiCli } from "../support/pulumi-cli";
import { createPulumiProject, javascriptFiles, type PulumiProject } from "../support/pulumi-project";
import { sessionsOf } from "../support/stack-state";

const key = "ako-chaos-test";
const kills = Number(process.argv[2] ?? 30);
const limitMs = 600_000;
const longestDelayMs = 4_500;

const program = `
const pulumi = require("@pulumi/pulumi");
const { AgbSession } = require("pulumi-agb");
const config = new pulumi.Config();
for (let i = 0; i < 4; i++) {
  new AgbSession("s" + i, { imageId: config.require("image"), labels: { round: config.require("round") } });
}
`;

interface Tally {
  runs: number;
  made: number;
  /** Sessions that were in the state, or back in it, after the run that followed. */
  recovered: number;
  /** Sessions that only the sweep found. */
  swept: number;
  lost: number;
  /** Provider processes that outlived their engine although they had worked. */
  leftover: number;
  /** Provider processes that were left before Pulumi had them load this package; nothing of ours runs in them yet. */
  unloaded: number;
}

const commands = ["up", "refresh", "destroy"] as const;
const victims = ["engine", "engine and provider"] as const;

async function main(): Promise<void> {
  const startedAt = performance.now();
  const emulator = await startEmulator({ apiKeys: [key], latencyMs: 120, releaseDelayMs: 300 });
  const environment = { AGB_API_KEY: key, AGB_ENDPOINT: emulator.url };
  const project = await createPulumiProject({ files: javascriptFiles(program), environment });
  const client = new AgbClient({ baseUrl: emulator.url, proxy: undefined, apiKey: key, timeoutMs: 30_000 });
  const tallies = new Map<string, Tally>();
  let done = 0;
  try {
    while (done < kills && performance.now() - startedAt < limitMs) {
      const command = commands[done % commands.length] ?? "up";
      const victim = victims[Math.floor(done / commands.length) % victims.length] ?? "engine";
      const image = Math.random() < 0.3 ? "agb-browser-use-1" : "agb-code-space-1";
      await project.configure({ "engine-test:round": String(done), "engine-test:image": image });
      const name = `${command}, ${victim} killed`;
      const tally = tallies.get(name) ?? {
        runs: 0,
        made: 0,
        recovered: 0,
        swept: 0,
        lost: 0,
        leftover: 0,
        unloaded: 0,
      };
      tallies.set(name, tally);
      tally.runs += 1;
      await killDuring(project, emulator, command, victim, tally);
      await recover(project, emulator, client, tally);
      done += 1;
    }
  } finally {
    await client.close();
    await project.close();
    await emulator.close();
  }
  report(tallies, done, performance.now() - startedAt);
}

/** Runs a command and kills it at a random moment, if it has not ended by then. */
async function killDuring(
  project: PulumiProject,
  emulator: Emulator,
  command: (typeof commands)[number],
  victim: (typeof victims)[number],
  tally: Tally,
): Promise<void> {
  const { command: pulumi } = await pulumiCli();
  const parameters = [command, "--yes", "--skip-preview", "--non-interactive", "--color", "never"];
  const callsBefore = emulator.requests().length;
  const child = spawn(pulumi, parameters, {
    cwd: project.directory,
    env: project.environment,
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await Promise.race([ended, sleep(Math.random() * longestDelayMs)]);
  const below = descendantsOf(child.pid ?? 0);
  const providers = below.filter((pid) => commandLine(pid).includes("dynamic-provider"));
  kill(child, victim === "engine and provider" ? below : below.filter((pid) => !providers.includes(pid)));
  await ended;
  // What a provider has in flight ends within its calls' time; then it must be gone.
  for (let waitedMs = 0; providers.some(isAlive) && waitedMs < 10_000; waitedMs += 100) {
    await sleep(100);
  }
  for (const pid of providers.filter(isAlive)) {
    tally[emulator.requests().length > callsBefore ? "leftover" : "unloaded"] += 1;
    process.kill(pid, "SIGKILL");
  }
}

async function recover(project: PulumiProject, emulator: Emulator, client: AgbClient, tally: Tally): Promise<void> {
  const before = new Set(running(emulator));
  tally.made += before.size;
  // A killed engine leaves its lock behind.
  await project.run("cancel", "--yes");
  await project.up();
  const known = new Set(Object.values(sessionsOf(await project.exportState())).map(({ id }) => id ?? ""));
  const orphans = await findOwnedSessions(client, { project: "engine-test", stack: "test" }, known);
  for (const { sessionId } of orphans) {
    await releaseAndWait(client, sessionId, systemClock);
  }
  tally.swept += orphans.length;
  tally.recovered += [...before].filter((id) => !orphans.some(({ sessionId }) => sessionId === id)).length;
  const after = new Set(running(emulator));
  const isRestored = known.size === 4 && [...known].every((id) => after.has(id));
  tally.lost += [...after].filter((id) => !known.has(id)).length + (isRestored ? 0 : 1);
}

function running(emulator: Emulator): string[] {
  return emulator.sessions().flatMap(({ sessionId, state }) => (state === "RUNNING" ? [sessionId] : []));
}

function kill(child: ChildProcess, others: readonly number[]): void {
  child.kill("SIGKILL");
  for (const pid of others) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended meanwhile.
    }
  }
}

function descendantsOf(pid: number): number[] {
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && parentOf(Number(name)) === pid);
  return children.flatMap((name) => [Number(name), ...descendantsOf(Number(name))]);
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(readProcess(pid, "status"))?.[1] ?? -1);
}

function commandLine(pid: number): string {
  return readProcess(pid, "cmdline");
}

function isAlive(pid: number): boolean {
  return /^State:\s*[^Z]/m.test(readProcess(pid, "status"));
}

function readProcess(pid: number, file: "status" | "cmdline"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

function report(tallies: ReadonlyMap<string, Tally>, done: number, elapsedMs: number): void {
  const total = { runs: 0, made: 0, recovered: 0, swept: 0, lost: 0, leftover: 0, unloaded: 0 };
  for (const tally of tallies.values()) {
    for (const field of Object.keys(total) as (keyof Tally)[]) {
      total[field] += tally[field];
    }
  }
  console.table(Object.fromEntries([...tallies, ["total", total]]));
  console.log(`${done} of ${kills} kills in ${Math.round(elapsedMs / 1_000)} s`);
  if (total.lost > 0 || total.leftover > 0 || done < Math.min(kills, 30)) {
    process.exitCode = 1;
  }
}

void main();
