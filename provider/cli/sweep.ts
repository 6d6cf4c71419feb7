import { Command, InvalidArgumentError, Option } from "commander";
import { AgbClient } from "../api/client";
import { printableJson } from "../api/outside-text";
import { readSettings, type Settings } from "../config";
import { type JobOutput, openJobOutput } from "../forge/job-output";
import { isStackId } from "../lifecycle/ownership";
import { systemClock } from "../lifecycle/wait";
import { askPulumi } from "../pulumi/ask-pulumi";
import { readProjectName } from "../pulumi/project-name";
import { PulumiReader } from "../pulumi/pulumi-reader";
import { readStateFile, type StackState } from "../pulumi/stack-state";
import type { StackName } from "../sweep/owned-sessions";
import { isSettled, type OrphanResult, resultLine } from "../sweep/release-orphan";
import { sweepStack } from "../sweep/sweep-stack";
import { pulumiEnvironment, readJobSettings, readRepositoryId } from "./environment";
import { addHelpNotes } from "./help-text";
import { includeUnidentifiedOption, olderThanOption, somethingLeft } from "./left-over";

interface SweepFlags {
  readonly project?: string;
  readonly stack?: string;
  readonly state?: string;
  readonly stackIsGone?: true;
  readonly stackId: readonly string[];
  readonly includeUnidentified: boolean;
  readonly olderThan: number;
  readonly yes?: true;
  readonly output: "text" | "json";
}

/** The subcommand `sweep`: releases sessions of a stack that its state does not know. */
export function sweepCommand(): Command {
  const command = new Command("sweep")
    .summary("release sessions of a stack that its state does not know")
    .description(
      "Release sessions that a stack created but that its state does not know, such as those of a killed run. Without --yes " +
        "it only shows what it would do. It reads the stack's id from its state and releases only sessions that carry that " +
        "id, so a stack of the same name in another backend is safe. It leaves sessions that their program retains " +
        "(retainOnDelete), and never touches contexts. Key and endpoint come from the stack's configuration, then from " +
        "AGB_API_KEY and AGB_ENDPOINT. With --state or --stack-is-gone they come from these variables alone.",
    )
    .option("--project <name>", "Pulumi project (default: from the state, then from ./Pulumi.yaml)")
    .option("--stack <name>", "stack (default: the selected one)")
    .addOption(
      new Option(
        "--state <file>",
        "exported state to read instead of asking the Pulumi CLI; export it right before, because the sweep releases " +
          "sessions that it does not know",
      ).conflicts("stackIsGone"),
    )
    .option("--stack-is-gone", "the stack was removed, so there is no state to read; name its id with --stack-id")
    .addOption(
      new Option(
        "--stack-id <id>",
        "id of a stack whose sessions to release, in addition to the id in the state; repeatable",
      )
        .argParser(collectStackIds)
        .default([], "none"),
    )
    .addOption(includeUnidentifiedOption())
    .addOption(
      olderThanOption("leave younger sessions, as in 90s, 10m or 2h: an `up` that is still active may need them"),
    )
    .option("--yes", "release the sessions that were found")
    .addOption(new Option("--output <format>", "how to print").choices(["text", "json"]).default("text"))
    .action(runSweep);
  return addHelpNotes(
    command,
    "Exit code: 0 when nothing is left, 2 when something is left, 1 when the sweep failed. Sessions that their program " +
      "retains and those of another stack of the same name do not count as left.",
  );
}

function collectStackIds(text: string, earlier: readonly string[]): string[] {
  if (!isStackId(text)) {
    throw new InvalidArgumentError("It is not the id of a stack: 16 hexadecimal digits.");
  }
  return [...earlier, text];
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
  const pulumi = new PulumiReader(askPulumi(pulumiEnvironment()));
  const state = await readState(flags, pulumi);
  const name = await nameStack(flags, state, pulumi);
  const { baseUrl, proxy, apiKey, timeoutMs } = await readSweepSettings(flags, pulumi);
  const client = new AgbClient({ baseUrl, proxy, timeoutMs, apiKey: apiKey.value });
  try {
    const options = {
      name,
      state,
      baseUrl,
      stackIds: flags.stackId,
      repository: readRepositoryId(),
      includesUnidentified: flags.includeUnidentified,
      minimumAgeMs: flags.olderThan,
      release: flags.yes === true,
    };
    const { orphans, unprovenStackIds } = await sweepStack(client, options, systemClock);
    if (flags.output === "json") {
      console.log(printableJson({ ...name, sessions: orphans }, 2));
    } else {
      print(name, orphans, output);
      explainStackIds(unprovenStackIds, output);
    }
    return orphans.every(isSettled) ? 0 : somethingLeft;
  } finally {
    await client.close();
  }
}

/** @returns `undefined` when the user says that the stack is gone */
async function readState(flags: SweepFlags, pulumi: PulumiReader): Promise<StackState | undefined> {
  if (flags.stackIsGone) {
    return undefined;
  }
  if (flags.state !== undefined) {
    return readStateFile(flags.state);
  }
  const advice =
    "Check the backend and --stack, or give an exported state with --state FILE. If the stack was removed, say --stack-is-gone.";
  let state: StackState | undefined;
  try {
    state = await pulumi.exportState(flags.stack);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${advice}`);
  }
  if (state === undefined) {
    const name = flags.stack === undefined ? "The selected stack" : `The stack ${flags.stack}`;
    throw new Error(`${name} does not exist in this backend. ${advice}`);
  }
  return state;
}

/** A state of one stack must never decide over the sessions of another. */
async function nameStack(flags: SweepFlags, state: StackState | undefined, pulumi: PulumiReader): Promise<StackName> {
  const found = state?.name;
  const project = flags.project ?? found?.project ?? (await readProjectName("."));
  const selected = async () => (isStackAtHand(flags) ? pulumi.readSelectedStack() : undefined);
  const stack = flags.stack?.split("/").at(-1) ?? found?.stack ?? (await selected());
  if (project === undefined || stack === undefined) {
    const missing = [project === undefined ? "--project NAME" : "", stack === undefined ? "--stack NAME" : ""];
    throw new Error(`the stack is not known; add ${missing.filter(Boolean).join(" and ")}`);
  }
  if (found !== undefined && (found.project !== project || found.stack !== stack)) {
    throw new Error(`the state is that of ${found.project}/${found.stack}, not of ${project}/${stack}`);
  }
  return { project, stack };
}

/** With the stack at hand its configuration wins over the environment, as it does for `pulumi up`. */
async function readSweepSettings(flags: SweepFlags, pulumi: PulumiReader): Promise<Settings> {
  return readSettings(isStackAtHand(flags) ? await pulumi.readConfig(flags.stack) : () => undefined);
}

/** A state file may be that of any stack, and a stack that is gone is neither selected nor configured. */
function isStackAtHand({ state, stackIsGone }: SweepFlags): boolean {
  return state === undefined && !stackIsGone;
}

function print({ project, stack }: StackName, orphans: readonly OrphanResult[], output: JobOutput): void {
  if (orphans.length === 0) {
    output.say(`The state of ${project}/${stack} knows all its sessions.`);
    return;
  }
  for (const orphan of orphans) {
    output.say(resultLine(orphan));
  }
  if (orphans.some(({ action }) => action === "would release")) {
    output.say("Nothing was released. To do it, add --yes.");
  }
}

/** Says what to do where no state proves whose sessions these are. */
function explainStackIds(stackIds: readonly string[], output: JobOutput): void {
  for (const stackId of stackIds) {
    output.say(
      `If the stack with the id ${stackId} was removed, release its sessions with --stack-id ${stackId}. The id is that of ` +
        "the resource AgbStackIdentity in the stack's last exported state. Do not guess: another backend may have a live " +
        "stack of the same name.",
    );
  }
}
