import { Command, InvalidArgumentError, Option } from "commander";
import { AgbClient } from "../api/client";
import { printableJson } from "../api/outside-text";
import { readSettings, type Settings } from "../config";
import { type JobOutput, openJobOutput } from "../forge/job-output";
import { isProviderId, isStackId } from "../lifecycle/ownership";
import { systemClock } from "../lifecycle/wait";
import { CodedError } from "../messages/coded-error";
import { describeFailure } from "../messages/describe-failure";
import { askPulumi } from "../pulumi/ask-pulumi";
import { readProjectName } from "../pulumi/project-name";
import { PulumiReader } from "../pulumi/pulumi-reader";
import { readStateFile, type StackState } from "../pulumi/stack-state";
import type { StackName } from "../sweep/owned-sessions";
import { isSettled, type OrphanResult, resultLine } from "../sweep/release-orphan";
import { sweepStack } from "../sweep/sweep-stack";
import { reportFailure } from "./command-failure";
import { pulumiEnvironment, readJobSettings, readRepositoryId } from "./environment";
import { addHelpSections } from "./help-text";
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
      "Release sessions that a stack created but that its state does not know, for example after a killed run. Without " +
        "--yes it only shows what it would release. It releases only sessions that carry the stack's id, which it reads " +
        "from the state. A stack of the same name in another backend is therefore safe. It leaves sessions whose program " +
        "retains them (retainOnDelete), and never touches contexts.",
    )
    .option("--project <name>", "Pulumi project (default: the one in the state, then the one in ./Pulumi.yaml)")
    .option("--stack <name>", "stack to sweep (default: the selected stack)")
    .addOption(
      new Option(
        "--state <file>",
        "read the state from a file that `pulumi stack export` wrote (default: ask the Pulumi CLI); export it right before " +
          "the sweep, which releases sessions that the file does not know",
      ).conflicts("stackIsGone"),
    )
    .option("--stack-is-gone", "read no state, because the stack was removed; name its id with --stack-id")
    .addOption(
      new Option("--stack-id <id>", "also release sessions that carry this stack id; can be given several times")
        .argParser(collectStackIds)
        .default([], "none"),
    )
    .addOption(includeUnidentifiedOption())
    .addOption(
      olderThanOption("leave sessions younger than this: 90s, 10m or 2h; an `up` that is still active may need them"),
    )
    .option("--yes", "release the sessions that were found")
    .addOption(new Option("--output <format>", "output format").choices(["text", "json"]).default("text"))
    .action(runSweep);
  return addHelpSections(command, {
    notes: [
      "The stack's configuration (agb:apiKey, agb:endpoint) wins over the environment. With --state or --stack-is-gone, only " +
        "the environment is read.",
    ],
    environment: { AGB_API_KEY: "API key of AGB", AGB_ENDPOINT: "address of AGB, if it is not the public service" },
    exitCodes: {
      "0": "nothing is left, except sessions that are retained or belong to another stack of the same name",
      "2": "something is left",
      "1": "the sweep failed",
    },
  });
}

function collectStackIds(text: string, earlier: readonly string[]): string[] {
  if (!isStackId(text)) {
    throw new InvalidArgumentError("Give an id that the sweep has printed.");
  }
  return [...earlier, text];
}

async function runSweep(flags: SweepFlags): Promise<void> {
  const output = openJobOutput(readJobSettings());
  try {
    process.exitCode = await sweep(flags, output);
  } catch (error) {
    reportFailure(output, "sweep", error);
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
    "Check the backend and --stack, or name an exported state with --state FILE. If the stack was removed, add --stack-is-gone.";
  let state: StackState | undefined;
  try {
    state = await pulumi.exportState(flags.stack);
  } catch (error) {
    const { text, code } = describeFailure(error);
    throw new CodedError(`${text}\n${advice}`, code);
  }
  if (state === undefined) {
    const name = flags.stack === undefined ? "The selected stack" : `The stack ${flags.stack}`;
    throw new CodedError(`${name} does not exist in this backend. ${advice}`, "AGB607");
  }
  return state;
}

/** The names of the stack. @throws CodedError when they are not known, or the state belongs to another stack */
async function nameStack(flags: SweepFlags, state: StackState | undefined, pulumi: PulumiReader): Promise<StackName> {
  const found = state?.name;
  const project = flags.project ?? found?.project ?? (await readProjectName("."));
  const selected = async () => (isStackAtHand(flags) ? pulumi.readSelectedStack() : undefined);
  const stack = flags.stack?.split("/").at(-1) ?? found?.stack ?? (await selected());
  if (project === undefined || stack === undefined) {
    const missing = [project === undefined ? "--project NAME" : "", stack === undefined ? "--stack NAME" : ""];
    throw new CodedError(`The stack to sweep is not known. Add ${missing.filter(Boolean).join(" and ")}.`, "AGB608");
  }
  if (found !== undefined && (found.project !== project || found.stack !== stack)) {
    throw new CodedError(
      `The state belongs to ${found.project}/${found.stack}, not to ${project}/${stack}. Nothing was released. ` +
        "Export the state of the right stack, or correct --project and --stack.",
      "AGB609",
    );
  }
  return { project, stack };
}

/** The stack's configuration wins over the environment, as it does for `pulumi up`. */
async function readSweepSettings(flags: SweepFlags, pulumi: PulumiReader): Promise<Settings> {
  return readSettings(isStackAtHand(flags) ? await pulumi.readConfig(flags.stack) : undefined);
}

/** Whether the selected stack and its configuration count. A state file may belong to any stack. */
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
    output.say("Nothing was released. Add --yes to release them.");
  }
}

/** Says what to do when no state proves whose sessions these are. */
function explainStackIds(stackIds: readonly string[], output: JobOutput): void {
  for (const stackId of stackIds) {
    const holder = isProviderId(stackId)
      ? "a provider of the type pulumi:providers:agb"
      : "the resource AgbStackIdentity";
    output.say(
      `If the stack with the id ${stackId} was removed, release its sessions with --stack-id ${stackId}. To make sure, compare ` +
        `it with the id of ${holder} in the last exported state of your stack. Do not guess: another backend may have a live ` +
        "stack of the same name.",
    );
  }
}
