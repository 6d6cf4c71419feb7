import { Command, InvalidArgumentError, Option } from "commander";
import { AgbClient } from "../api/client";
import { describeService, isSameService } from "../api/endpoint";
import { printableJson } from "../api/outside-text";
import { readSettings, type Settings } from "../config";
import { type JobOutput, openJobOutput } from "../forge/job-output";
import { isStackId, ownershipKeys } from "../lifecycle/ownership";
import {
  findOwnedSessions,
  isDone,
  leaveOrphan,
  type OwnedSession,
  type ReleaseRight,
  releaseOrphan,
  type StackName,
  type Verdict,
  verdictLine,
} from "../lifecycle/sweep";
import { systemClock } from "../lifecycle/wait";
import { belongsToOtherRepository } from "../previews/orphans";
import { releaseRightOf } from "../previews/release-right";
import { readProjectName } from "../pulumi/project-name";
import { readSelectedStack, readStackConfig } from "../pulumi/selected-stack";
import { exportStackState, readStateFile, type StackState, secretText } from "../pulumi/stack-state";
import { readJobSettings, readRepositoryId } from "./environment";
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
      "Release sessions that a stack created but that its state does not know, such as those of a killed run. Shows what " +
        "it would do; does it with --yes. Reads the stack's id from its state and releases only what carries that id, so " +
        "a stack of the same name in another backend is safe. Sessions that their program retains (retainOnDelete) are " +
        "left. Key and endpoint come from the stack's configuration, then from AGB_API_KEY and AGB_ENDPOINT; with --state and " +
        "--stack-is-gone from these variables alone.",
    )
    .option("--project <name>", "Pulumi project (default: from the state, then from ./Pulumi.yaml)")
    .option("--stack <name>", "stack (default: the selected one)")
    .addOption(
      new Option(
        "--state <file>",
        "exported state to read instead of asking the Pulumi CLI; export it right before, for what it does not know is released",
      ).conflicts("stackIsGone"),
    )
    .option("--stack-is-gone", "the stack was removed: there is no state to read; name its id with --stack-id")
    .addOption(
      new Option("--stack-id <id>", "id of the stack whose sessions to release, beside the id in the state; repeatable")
        .argParser(collectStackIds)
        .default([], "none"),
    )
    .addOption(includeUnidentifiedOption())
    .addOption(
      olderThanOption("leave younger sessions alone, as 90s, 10m or 2h: an `up` that runs now may still need them"),
    )
    .option("--yes", "release what was found")
    .addOption(new Option("--output <format>", "how to print").choices(["text", "json"]).default("text"))
    .action(runSweep);
  return addHelpNotes(
    command,
    "Exit code: 0 when nothing is left, 2 when something is, 1 when the sweep failed. Sessions that their program retains " +
      "and those of another stack of the same name do not count as left.",
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
  const state = await readState(flags);
  const name = await nameStack(flags, state);
  const { baseUrl, proxy, apiKey, timeoutMs } = await readSweepSettings(flags);
  const client = new AgbClient({ baseUrl, proxy, timeoutMs, apiKey: apiKey.value });
  try {
    const right = withStackIds(releaseRightOf(state, flags.includeUnidentified), flags.stackId);
    const orphans = await findOrphans(client, name, right, state.sessionIds);
    requireSameService(state, baseUrl, client.emulatorId);
    const options = { minimumAgeMs: flags.olderThan, release: flags.yes === true, right };
    const repositories = repositoriesOf(state);
    const verdicts: Verdict[] = [];
    for (const orphan of orphans) {
      const isOthers =
        repositories.length > 0 && repositories.every((repository) => belongsToOtherRepository(orphan, repository));
      verdicts.push(
        isOthers
          ? leaveOrphan(orphan, `it is of the repository ${orphan.repository}`)
          : await releaseOrphan(client, orphan, options, systemClock),
      );
    }
    print(name, verdicts, flags.output, output);
    if (right.stackIds.size === 0 && flags.output === "text") {
      sayStackIds(orphans, output);
    }
    return verdicts.every(isDone) ? 0 : somethingLeft;
  } finally {
    await client.close();
  }
}

/** With the stack at hand its configuration wins over the environment, as it does for `pulumi up`. */
async function readSweepSettings({ state, stack, stackIsGone }: SweepFlags): Promise<Settings> {
  const isStackAtHand = state === undefined && !stackIsGone;
  return readSettings(isStackAtHand ? await readStackConfig(stack) : () => undefined);
}

/**
 * A service that the stack does not use knows none of its sessions, and "nothing is left" would be false.
 *
 * @throws Error when no session of the state was created at the service that was asked
 */
function requireSameService({ sessions }: StackState, baseUrl: string, emulatorId: string | undefined): void {
  const own = sessions.filter(({ isExternal, labels }) => !isExternal && Object.keys(labels).length > 0);
  const [first] = own;
  if (first !== undefined && !own.some(({ service }) => isSameService(service, baseUrl, emulatorId))) {
    throw new Error(
      `the sessions in the state were created at ${describeService(first.service)}, but ${baseUrl} was asked. Nothing was ` +
        "released. Set agb:endpoint in the stack's configuration, or AGB_ENDPOINT, to the service of the stack",
    );
  }
}

function withStackIds(right: ReleaseRight, stackIds: readonly string[]): ReleaseRight {
  return { ...right, stackIds: new Set([...right.stackIds, ...stackIds]) };
}

/** The sessions with the stack's names, and those with its id: a renamed stack has sessions with its former name. */
async function findOrphans(
  client: AgbClient,
  name: StackName,
  { stackIds }: ReleaseRight,
  known: ReadonlySet<string>,
): Promise<OwnedSession[]> {
  const found = await findOwnedSessions(client, name, known);
  for (const stackId of stackIds) {
    const seen = new Set([...known, ...found.map(({ sessionId }) => sessionId)]);
    found.push(...(await findOwnedSessions(client, { stackId }, seen)));
  }
  return found;
}

/** The repositories that this sweep may act for: the job's own, and those whose sessions the state holds. */
function repositoriesOf({ sessions }: StackState): string[] {
  const held = sessions.map(({ labels, isExternal }) =>
    isExternal || labels === secretText ? undefined : labels[ownershipKeys.repository],
  );
  return [...new Set([readRepositoryId(), ...held].filter((repository) => repository !== undefined))];
}

async function readState({ state, stack, stackIsGone }: SweepFlags): Promise<StackState> {
  if (stackIsGone) {
    return { sessionIds: new Set(), sessions: [], name: undefined, stackIds: new Set() };
  }
  return state === undefined ? exportStackState(stack) : readStateFile(state);
}

/** A state of one stack must never decide over the sessions of another. */
async function nameStack(flags: SweepFlags, { name }: StackState): Promise<StackName> {
  const project = flags.project ?? name?.project ?? (await readProjectName("."));
  const stack = flags.stack?.split("/").at(-1) ?? name?.stack ?? (await selectedStack(flags));
  if (project === undefined || stack === undefined) {
    const missing = [project === undefined ? "--project NAME" : "", stack === undefined ? "--stack NAME" : ""];
    throw new Error(`the stack is not known; add ${missing.filter(Boolean).join(" and ")}`);
  }
  if (name !== undefined && (name.project !== project || name.stack !== stack)) {
    throw new Error(`the state is that of ${name.project}/${name.stack}, not of ${project}/${stack}`);
  }
  return { project, stack };
}

/** A state that was given may be that of any stack, and a stack that is gone is not selected. */
async function selectedStack({ state, stackIsGone }: SweepFlags): Promise<string | undefined> {
  return state === undefined && !stackIsGone ? readSelectedStack() : undefined;
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

/** Says how to go on where no state proves whose sessions these are. */
function sayStackIds(orphans: readonly OwnedSession[], output: JobOutput): void {
  const stackIds = new Set(orphans.map(({ stackId }) => stackId).filter((stackId) => stackId !== undefined));
  for (const stackId of stackIds) {
    output.say(
      `If the stack with the id ${stackId} was removed, release its sessions with --stack-id ${stackId}. Its last exported ` +
        "state shows its id as that of the resource AgbStackIdentity. Do not guess: another backend may have a live stack " +
        "of the same name.",
    );
  }
}
