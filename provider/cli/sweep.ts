import { readFile } from "node:fs/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { AgbClient } from "../api/client";
import { readSettings } from "../config";
import { releaseAndWait } from "../lifecycle/session";
import { findOrphans, isOlderThan, type Orphan, type StackName } from "../lifecycle/sweep";
import { systemClock } from "../lifecycle/wait";
import { exportStackState, readStateFile, type StackState } from "./stack-state";

interface SweepFlags {
  readonly project?: string;
  readonly stack?: string;
  readonly state?: string;
  readonly stackIsGone?: true;
  readonly olderThan: number;
  readonly yes?: true;
  readonly output: "text" | "json";
}

/** What becomes of an orphan. */
interface Verdict {
  readonly sessionId: string;
  readonly resource: string | null;
  readonly createdAt: string | null;
  readonly action: "released" | "would release" | "left";
  /** Why it was left. */
  readonly reason?: string;
}

/** Exit code that says that orphans are still there. */
const somethingLeft = 2;

const defaultMinimumAgeMs = 10 * 60_000;

/** The subcommand `sweep`: releases sessions of a stack that its state does not know. */
export function sweepCommand(): Command {
  return new Command("sweep")
    .description(
      "Release sessions that belong to a stack but that its state does not know, such as those of a killed run.\n" +
        "Shows what it would do; does it with --yes. Sessions without this provider's labels, or of another stack,\n" +
        "are never touched. AGB is reached with AGB_API_KEY and AGB_ENDPOINT.",
    )
    .option("--project <name>", "Pulumi project (default: from the state, then from ./Pulumi.yaml)")
    .option("--stack <name>", "stack (default: the selected one)")
    .addOption(
      new Option("--state <file>", "exported state to read instead of asking the Pulumi CLI").conflicts("stackIsGone"),
    )
    .option("--stack-is-gone", "the stack was removed: no session of it is known to any state")
    .addOption(
      new Option(
        "--older-than <duration>",
        "leave younger sessions alone, as 90s, 10m or 2h: an `up` that runs now may still need them",
      )
        .argParser(parseDurationMs)
        .default(defaultMinimumAgeMs, "10m"),
    )
    .option("--yes", "release what was found")
    .addOption(new Option("--output <format>", "how to print").choices(["text", "json"]).default("text"))
    .addHelpText("after", "\nExit code: 0 when nothing is left, 2 when something is, 1 when the sweep failed.")
    .action(runSweep);
}

async function runSweep(flags: SweepFlags): Promise<void> {
  try {
    process.exitCode = await sweep(flags);
  } catch (error) {
    console.error(`pulumi-agb sweep: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

async function sweep(flags: SweepFlags): Promise<number> {
  const { baseUrl, apiKey, timeoutMs } = readSettings(() => undefined);
  const state = await readState(flags);
  const name = await nameStack(flags, state);
  const client = new AgbClient({ baseUrl, timeoutMs, apiKey: apiKey.value });
  try {
    const orphans = await findOrphans(client, name, state.sessionIds);
    const verdicts: Verdict[] = [];
    for (const orphan of orphans) {
      verdicts.push(await judge(client, orphan, flags));
    }
    print(name, verdicts, flags.output);
    return verdicts.every(({ action }) => action === "released") ? 0 : somethingLeft;
  } finally {
    await client.close();
  }
}

async function readState({ state, stack, stackIsGone }: SweepFlags): Promise<StackState> {
  if (stackIsGone) {
    return { sessionIds: new Set(), name: undefined };
  }
  return state === undefined ? exportStackState(stack) : readStateFile(state);
}

/** A state of one stack must never decide over the sessions of another. */
async function nameStack(flags: SweepFlags, { name }: StackState): Promise<StackName> {
  const project = flags.project ?? name?.project ?? (await projectOfFolder());
  const stack = flags.stack?.split("/").at(-1) ?? name?.stack;
  if (project === undefined || stack === undefined) {
    throw new Error("the state does not tell which stack it belongs to; add --project NAME and --stack NAME");
  }
  if (name !== undefined && (name.project !== project || name.stack !== stack)) {
    throw new Error(`the state is that of ${name.project}/${name.stack}, not of ${project}/${stack}`);
  }
  return { project, stack };
}

async function projectOfFolder(): Promise<string | undefined> {
  const text = await readFile("Pulumi.yaml", "utf8").catch(() => "");
  return /^name:\s*["']?([\w.-]+)/m.exec(text)?.[1];
}

async function judge(client: AgbClient, orphan: Orphan, { olderThan, yes }: SweepFlags): Promise<Verdict> {
  const { sessionId, resource = null, createdAt } = orphan;
  const facts = { sessionId, resource, createdAt: createdAt?.toISOString() ?? null };
  if (createdAt === undefined) {
    return { ...facts, action: "left", reason: "its age is unknown" };
  }
  if (!isOlderThan(orphan, olderThan, systemClock.now())) {
    return { ...facts, action: "left", reason: `it is younger than ${formatDuration(olderThan)}` };
  }
  if (!yes) {
    return { ...facts, action: "would release" };
  }
  try {
    await releaseAndWait(client, sessionId, systemClock);
    return { ...facts, action: "released" };
  } catch (error) {
    return { ...facts, action: "left", reason: error instanceof Error ? error.message : String(error) };
  }
}

function print({ project, stack }: StackName, verdicts: readonly Verdict[], format: SweepFlags["output"]): void {
  if (format === "json") {
    console.log(JSON.stringify({ project, stack, sessions: verdicts }, undefined, 2));
    return;
  }
  if (verdicts.length === 0) {
    console.log(`No session of ${project}/${stack} is unknown to its state.`);
    return;
  }
  for (const { sessionId, resource, createdAt, action, reason } of verdicts) {
    const made = createdAt === null ? "" : `, made ${createdAt}`;
    console.log(`${action}: ${sessionId} (${resource ?? "unknown resource"}${made})${reason ? `: ${reason}` : ""}`);
  }
  if (verdicts.some(({ action }) => action === "would release")) {
    console.log("Nothing was released; add --yes to do it.");
  }
}

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

function parseDurationMs(text: string): number {
  const [, amount, unit] = /^(\d+)([smh])$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) {
    throw new InvalidArgumentError("Write it as 90s, 10m or 2h.");
  }
  return Number(amount) * (unitsMs[unit] ?? 0);
}

function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}
