import { spawn } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Emulator } from "../../provider/emulator";
import { endingLimitMs } from "../../provider/hosts/dynamic/end-of-run";
import { pulumiCli } from "../support/pulumi-cli";
import type { PulumiProject } from "../support/pulumi-project";
import { descendantsOf, hasLoadedPackage, isAlive, isProvider, killProcess, recordingEnvironment } from "./processes";
import type { Tally } from "./report";

/** The commands that are killed, in turn. */
export const commands = ["up", "refresh", "destroy"] as const;
/** The processes that are killed, in turn. */
export const victims = ["engine", "engine and provider"] as const;

/** A planned kill. */
export interface Kill {
  readonly command: (typeof commands)[number];
  readonly victim: (typeof victims)[number];
  /** The kill happens at a random moment within this time, in milliseconds. */
  readonly longestDelayMs: number;
}

// A kill during these calls can lose a session. They take a small part of a run, so half of the kills aim at them.
const criticalCalls = { up: "createSession", refresh: "getMcpResource", destroy: "releaseSessionAsync" } as const;
const criticalMs = 600;

// The documented limit, with some more time for a busy machine.
const endingMs = endingLimitMs + 5_000;
// A process may still load the package because of a request that the engine sent before it died.
const loadingMs = 5_000;

async function waitForMoment({ command, longestDelayMs }: Kill, emulator: Emulator): Promise<void> {
  if (Math.random() < 0.5) {
    await sleep(Math.random() * longestDelayMs);
    return;
  }
  const calls = () => emulator.requestCounts()[criticalCalls[command]] ?? 0;
  const before = calls();
  // If a run makes no such call, the kill happens at its end.
  for (let waitedMs = 0; calls() === before && waitedMs < 2 * longestDelayMs; waitedMs += 20) {
    await sleep(20);
  }
  await sleep(Math.random() * criticalMs);
}

/** Runs a command and kills it at a random moment, unless it has ended before. */
export async function killDuring(project: PulumiProject, emulator: Emulator, kill: Kill, tally: Tally): Promise<void> {
  const { command: pulumi } = await pulumiCli();
  // A folder for each run, because process ids are reused.
  const notes = await mkdtemp(join(project.root, "notes-"));
  const environment = { ...project.environment, ...recordingEnvironment(notes) };
  const parameters = [kill.command, "--yes", "--skip-preview", "--non-interactive", "--color", "never"];
  const child = spawn(pulumi, parameters, { cwd: project.directory, env: environment, stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await Promise.race([ended, waitForMoment(kill, emulator)]);
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
