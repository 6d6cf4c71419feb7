import { Command, InvalidArgumentError } from "commander";
import { describeFinding, keepIssue, lookForDrift } from "../drift/check-drift";
import { requireForge } from "../forge/find-forge";
import type { Forge } from "../forge/forge";
import { type JobOutput, openJobOutput } from "../forge/job-output";
import { readProjectName } from "../pulumi/project-name";
import { PulumiCli } from "../pulumi/pulumi-cli";
import { PulumiRunner } from "../pulumi/pulumi-process";
import { StoppedError } from "../pulumi/stop-requests";
import { pulumiEnvironment, readForgeSettings, readJobSettings } from "./environment";
import { addHelpNotes } from "./help-text";

interface DriftFlags {
  readonly stack: string;
  readonly issue: boolean;
}

/** Exit code when there is drift. */
const driftFound = 2;

/** The subcommand `drift`: checks whether what runs is what a stack declares. */
export function driftCommand(): Command {
  const command = new Command("drift")
    .summary("check whether what runs is what a stack declares")
    .description(
      "Check whether what runs is what a stack declares, and keep one issue on GitHub or GitLab open while it is not. " +
        "Run it in the folder of the Pulumi project. It changes neither the stack nor what runs.",
    )
    .requiredOption("--stack <name>", "stack, as NAME or ORGANIZATION/NAME", parseStack)
    .option("--no-issue", "only print the differences; needs no token for GitHub or GitLab")
    .action(runDrift);
  return addHelpNotes(
    command,
    "The issue shows what `pulumi preview --diff` prints: ids, labels, secrets as [secret], and everything that the program " +
      "itself prints.",
    "Exit code: 0 when there is no drift, 2 when there is drift, 1 when the check failed or the issue cannot be written. " +
      "A failed check does not change the issue.",
  );
}

async function runDrift(flags: DriftFlags): Promise<void> {
  const output = openJobOutput(readJobSettings());
  try {
    process.exitCode = await checkForDrift(flags, output);
  } catch (error) {
    output.fail(`pulumi-agb drift: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = error instanceof StoppedError ? error.exitCode : 1;
  }
}

async function checkForDrift({ stack, issue }: DriftFlags, output: JobOutput): Promise<number> {
  const directory = process.cwd();
  const project = await readProjectName(directory);
  if (project === undefined) {
    throw new Error("there is no Pulumi.yaml here. Run this in the folder of the Pulumi project");
  }
  // Found first: a check takes minutes, and is of no use when its result cannot be reported.
  const forge = issue ? findNeededForge() : undefined;
  const pulumi = new PulumiCli(new PulumiRunner(directory), pulumiEnvironment());

  const finding = await lookForDrift(pulumi, stack);
  output.show(finding.details);
  const name = { project, stack: stack.split("/").at(-1) ?? stack };
  const check = { at: new Date(), jobUrl: forge?.job?.url };
  output.say(finding.hasDrift ? `Drift in ${project}/${name.stack}.` : `No drift in ${project}/${name.stack}.`);
  await output.summarize(describeFinding(finding, name, check));
  const done = forge && (await keepIssue(forge, finding, name, check));
  if (done !== undefined) {
    output.say(done);
  }
  return finding.hasDrift ? driftFound : 0;
}

function findNeededForge(): Forge {
  try {
    return requireForge(readForgeSettings());
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error} To check without an issue, add --no-issue.`);
  }
}

function parseStack(text: string): string {
  if (!/^[A-Za-z0-9_.][\w.-]*(\/[\w.-]+){0,2}$/.test(text)) {
    throw new InvalidArgumentError("It is not the name of a stack.");
  }
  return text;
}
