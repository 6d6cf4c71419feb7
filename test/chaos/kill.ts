import { spawn } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Emulator } from "../../provider/emulator";
import { pulumiCli } from "../support/pulumi-cli";
import type { PulumiProject } from "../support/pulumi-project";
import { descendantsOf, hasLoadedPackage, isAlive, isProvider, killProcess, notingEnvironment } from "./processes";
import type { Tally } from "./report";

/** What is killed in the middle of a run, in turn. */
export const commands = ["up", "refresh", "destroy"] as const;
export const victims = ["engine", "engine and provider"] as const;

/** One kill to come. */
export interface Kill {
  readonly command: (typeof commands)[number];
  readonly victim: (typeof victims)[number];
  /** The kill comes at a random moment before this time is over. */
  readonly longestDelayMs: number;
}

// The call of each command that a kill must not lose anything of. It takes a small part of a run, so half of the kills aim
// at it.
const criticalCalls = { up: "createSession", refresh: "getMcpResource", destroy: "releaseSessionAsync" } as const;
const criticalMs = 600;

// A process ends 20 s after its run at the latest, as documented, and somewhat later on a busy machine.
const endingMs = 25_000;
// A request that the engine sent before it died may still make a process load the package.
const loadingMs = 5_000;

async function momentOf({ command, longestDelayMs }: Kill, emulator: Emulator): Promise<void> {
  if (Math.random() < 0.5) {
    await sleep(Math.random() * longestDelayMs);
    return;
  }
  const calls = () => emulator.requestCounts()[criticalCalls[command]] ?? 0;
  const before = calls();
  // A run may need no such call; then the kill comes at its end.
  for (let waitedMs = 0; calls() === before && waitedMs < 2 * longestDelayMs; waitedMs += 20) {
    await sleep(20);
  }
  await sleep(Math.random() * criticalMs);
}

/** Runs a command and kills it at a random moment, if it has not ended by then. */
export async function killDuring(project: PulumiProject, emulator: Emulator, kill: Kill, tally: Tally): Promise<void> {
  const { command: pulumi } = await pulumiCli();
  // A folder for each run: ids of processes are used again.
  const notes = await mkdtemp(join(project.root, "notes-"));
  const environment = { ...project.environment, ...notingEnvironment(notes) };
  const parameters = [kill.command, "--yes", "--skip-preview", "--non-interactive", "--color", "never"];
  const child = spawn(pulumi, parameters, { cwd: project.directory, env: environment, stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await Promise.race([ended, momentOf(kill, emulator)]);
  const below = descendantsOf(child.pid ?? 0);
  const providers = below.filter(isProvider);
  child.kill("SIGKILL");
  const others = kill.victim === "engine and provider" ? below : below.filter((pid) => !providers.includes(pid));
  others.forEach(killProcess);
  await ended;
  const hasLoaded = (pid: number) => hasLoadedPackage(pid, notes);
  const mustBeAwaited = (waitedMs: number) =>
    providers.some((pid) => isAlive(pid) && (hasLoaded(pid) || waitedMs < loadingMs));
  for (let waitedMs = 0; mustBeAwaited(waitedMs) && waitedMs < endingMs; waitedMs += 100) {
    await sleep(100);
  }
  for (const pid of providers.filter(isAlive)) {
    tally[hasLoaded(pid) ? "leftover" : "unloaded"] += 1;
    killProcess(pid);
  }
}
