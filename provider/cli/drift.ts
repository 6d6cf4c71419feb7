import { randomUUID } from "node:crypto";
import { Command, InvalidArgumentError } from "commander";
import { pulumiEnvironment, readForgeSettings, readJobSettings } from "../config";
import { describeFinding, keepIssue, lookForDrift } from "../drift/check-drift";
import { requireForge } from "../forge/find-forge";
import type { Forge } from "../forge/forge";
import { openJobOutput } from "../forge/job-output";
import { readProjectName } from "../pulumi/project-name";
import { PulumiCli } from "../pulumi/pulumi-cli";
import { PulumiRunner } from "../pulumi/pulumi-process";
import { StoppedError } from "../pulumi/stop-requests";

interface DriftFlags {
  readonly stack: string;
  readonly issue: boolean;
}

/** Exit code that says that there is drift. */
const driftFound = 2;

/** The subcommand `drift`: tells whether what runs is what a stack declares. */
export function driftCommand(): Command {
  return new Command("drift")
    .description(
      "Tell whether what runs is what a stack declares, and keep one issue on GitHub or GitLab open as long as it is not.\n" +
        "Run it in the folder of the Pulumi project. It changes neither the stack nor what runs.",
    )
    .requiredOption("--stack <name>", "stack, as NAME or ORGANIZATION/NAME", parseStack)
    .option("--no-issue", "only print what is different; needs no token of GitHub or GitLab")
    .addHelpText(
      "after",
      "\nThe issue shows what `pulumi preview --diff` prints: ids and labels, secrets as [secret], and all that the program\n" +
        "itself prints. Exit code: 0 when there is no drift, 2 when there is, 1 when that cannot be told or the issue cannot\n" +
        "be written. After a failed check the issue stays as it was.",
    )
    .action(runDrift);
}

async function runDrift(flags: DriftFlags): Promise<void> {
  try {
    process.exitCode = await checkForDrift(flags);
  } catch (error) {
    const text = `pulumi-agb drift: ${error instanceof Error ? error.message : String(error)}\n`;
    process.stderr.write(withoutCommands(text));
    process.exitCode = error instanceof StoppedError ? error.exitCode : 1;
  }
}

async function checkForDrift({ stack, issue }: DriftFlags): Promise<number> {
  const directory = process.cwd();
  const project = await readProjectName(directory);
  if (project === undefined) {
    throw new Error("there is no Pulumi.yaml here; run this in the folder of the Pulumi project");
  }
  // Asked for first: a check of minutes whose result cannot be told is of no use.
  const forge = issue ? findNeededForge() : undefined;
  const pulumi = new PulumiCli(new PulumiRunner(directory), pulumiEnvironment());

  const finding = await lookForDrift(pulumi, stack);
  process.stdout.write(withoutCommands(finding.details));
  const output = openJobOutput(readJobSettings());
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
    throw new Error(`${error instanceof Error ? error.message : error} To do without an issue add --no-issue.`);
  }
}

/** Whoever changes a label could else have GitHub Actions take a line of it for a command of the job. */
function withoutCommands(text: string): string {
  if (!readJobSettings().understandsAnnotations || !text.includes("::")) {
    return text;
  }
  const token = randomUUID();
  return `::stop-commands::${token}\n${text}\n::${token}::\n`;
}

function parseStack(text: string): string {
  if (!/^[A-Za-z0-9_.][\w.-]*(\/[\w.-]+){0,2}$/.test(text)) {
    throw new InvalidArgumentError("It is not the name of a stack.");
  }
  return text;
}
