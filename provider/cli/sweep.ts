import { Command, Option } from "commander";
import { AgbClient } from "../api/client";
import { printableJson } from "../api/outside-text";
import { readJobSettings, readRepositoryId, readSettings } from "../config";
import { type JobOutput, openJobOutput } from "../forge/job-output";
import { ownershipKeys } from "../lifecycle/ownership";
import {
  findOwnedSessions,
  judgeOrphan,
  leaveOrphan,
  type StackName,
  type Verdict,
  verdictLine,
} from "../lifecycle/sweep";
import { systemClock } from "../lifecycle/wait";
import { readProjectName } from "../pulumi/project-name";
import { exportStackState, readStateFile, type StackState, secretText } from "../pulumi/stack-state";
import { addHelpNotes } from "./help-text";
import { olderThanOption, somethingLeft } from "./left-over";

interface SweepFlags {
  readonly project?: string;
  readonly stack?: string;
  readonly state?: string;
  readonly stackIsGone?: true;
  readonly olderThan: number;
  readonly yes?: true;
  readonly output: "text" | "json";
}

/** The subcommand `sweep`: releases sessions of a stack that its state does not know. */
export function sweepCommand(): Command {
  const command = new Command("sweep")
    .summary("release sessions of a stack that its state does not know")
    .description(
      "Release sessions that belong to a stack but that its state does not know, such as those of a killed run. " +
        "Shows what it would do; does it with --yes. Sessions without this provider's labels, or of another stack, " +
        "are never touched. AGB is reached with AGB_API_KEY and AGB_ENDPOINT.",
    )
    .option("--project <name>", "Pulumi project (default: from the state, then from ./Pulumi.yaml)")
    .option("--stack <name>", "stack (default: the selected one)")
    .addOption(
      new Option("--state <file>", "exported state to read instead of asking the Pulumi CLI").conflicts("stackIsGone"),
    )
    .option("--stack-is-gone", "the stack was removed: no session of it is known to any state")
    .addOption(
      olderThanOption("leave younger sessions alone, as 90s, 10m or 2h: an `up` that runs now may still need them"),
    )
    .option("--yes", "release what was found")
    .addOption(new Option("--output <format>", "how to print").choices(["text", "json"]).default("text"))
    .action(runSweep);
  return addHelpNotes(command, "Exit code: 0 when nothing is left, 2 when something is, 1 when the sweep failed.");
}

async function runSweep(flags: SweepFlags): Promise<void> {
  const output = openJobOutput(readJobSettings());
  try {
    process.exitCode = await sweep(flags, output);
  } catch (error) {
    output.fail(`pulumi-agb sweep: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

async function sweep(flags: SweepFlags, output: JobOutput): Promise<number> {
  const { baseUrl, apiKey, timeoutMs } = readSettings(() => undefined);
  const state = await readState(flags);
  const name = await nameStack(flags, state);
  const client = new AgbClient({ baseUrl, timeoutMs, apiKey: apiKey.value });
  try {
    const orphans = await findOwnedSessions(client, name, state.sessionIds);
    const judgement = { minimumAgeMs: flags.olderThan, release: flags.yes === true };
    const verdicts: Verdict[] = [];
    const repositories = repositoriesOf(state);
    for (const orphan of orphans) {
      const isOthers = orphan.repository !== undefined && repositories.size > 0 && !repositories.has(orphan.repository);
      verdicts.push(
        isOthers
          ? leaveOrphan(orphan, `it is of the repository ${orphan.repository}`)
          : await judgeOrphan(client, orphan, judgement, systemClock),
      );
    }
    print(name, verdicts, flags.output, output);
    return verdicts.every(({ action }) => action === "released") ? 0 : somethingLeft;
  } finally {
    await client.close();
  }
}

/** The repositories that this sweep may act for: the job's own, and those whose sessions the state holds. */
function repositoriesOf({ sessions }: StackState): ReadonlySet<string> {
  const held = sessions.map(({ labels }) => (labels === secretText ? undefined : labels[ownershipKeys.repository]));
  return new Set([readRepositoryId(), ...held].filter((repository) => repository !== undefined));
}

async function readState({ state, stack, stackIsGone }: SweepFlags): Promise<StackState> {
  if (stackIsGone) {
    return { sessionIds: new Set(), sessions: [], name: undefined };
  }
  return state === undefined ? exportStackState(stack) : readStateFile(state);
}

/** A state of one stack must never decide over the sessions of another. */
async function nameStack(flags: SweepFlags, { name }: StackState): Promise<StackName> {
  const project = flags.project ?? name?.project ?? (await readProjectName("."));
  const stack = flags.stack?.split("/").at(-1) ?? name?.stack;
  if (project === undefined || stack === undefined) {
    throw new Error("the state does not tell which stack it belongs to; add --project NAME and --stack NAME");
  }
  if (name !== undefined && (name.project !== project || name.stack !== stack)) {
    throw new Error(`the state is that of ${name.project}/${name.stack}, not of ${project}/${stack}`);
  }
  return { project, stack };
}

function print(
  { project, stack }: StackName,
  verdicts: readonly Verdict[],
  format: SweepFlags["output"],
  output: JobOutput,
): void {
  if (format === "json") {
    console.log(printableJson({ project, stack, sessions: verdicts }, 2));
    return;
  }
  if (verdicts.length === 0) {
    output.say(`No session of ${project}/${stack} is unknown to its state.`);
    return;
  }
  for (const verdict of verdicts) {
    output.say(verdictLine(verdict));
  }
  if (verdicts.some(({ action }) => action === "would release")) {
    output.say("Nothing was released; add --yes to do it.");
  }
}
