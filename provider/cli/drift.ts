import { Command } from "commander";
import { describeFinding, keepIssue, lookForDrift } from "../drift/check-drift";
import { requireForge } from "../forge/find-forge";
import type { Forge } from "../forge/forge";
import { type JobOutput, openJobOutput } from "../forge/job-output";
import { CodedError } from "../messages/coded-error";
import { describeFailure } from "../messages/describe-failure";
import { requireProjectName } from "../pulumi/project-name";
import { PulumiCli } from "../pulumi/pulumi-cli";
import { PulumiRunner } from "../pulumi/pulumi-process";
import { reportFailure } from "./command-failure";
import { pulumiEnvironment, readForgeSettings, readJobSettings } from "./environment";
import { addHelpSections } from "./help-text";
import { parseStack } from "./stack-option";

interface DriftFlags {
  readonly stack: string;
  readonly issue: boolean;
}

/** Exit code when there is drift. */
const driftFound = 2;

/** The subcommand `drift`: checks a stack for drift and reports it in an issue. */
export function driftCommand(): Command {
  const command = new Command("drift")
    .summary("check a stack for drift and report it in an issue")
    .description(
      "Check a stack for drift: compare what exists at AGB with what the program declares. Drift opens an issue on GitHub " +
        "or GitLab. Each check updates the issue. The first check without drift closes it. Run this in the folder of the " +
        "Pulumi project. It changes neither the stack nor anything at AGB.",
    )
    .requiredOption("--stack <name>", "stack to check, as NAME or ORGANIZATION/NAME", parseStack)
    .option("--no-issue", "print the differences and write no issue; needs no token for GitHub or GitLab")
    .action(runDrift);
  return addHelpSections(command, {
    notes: [
      "The issue shows what `pulumi preview --diff` prints: ids, labels, secrets as [secret], and everything that the " +
        "program itself prints.",
    ],
    environment: {
      GITHUB_TOKEN: "token for the issue on GitHub, with the permission `issues: write`",
      GITLAB_TOKEN: "token for the issue on GitLab, with the scope api and the role Developer",
    },
    exitCodes: {
      "0": "no drift",
      "2": "drift",
      "1": "the check failed, or the issue could not be written; a failed check changes no issue",
      "130, 143": "stopped by SIGINT or SIGTERM",
    },
  });
}

async function runDrift(flags: DriftFlags): Promise<void> {
  const output = openJobOutput(readJobSettings());
  try {
    process.exitCode = await checkForDrift(flags, output);
  } catch (error) {
    reportFailure(output, "drift", error);
  }
}

async function checkForDrift({ stack, issue }: DriftFlags, output: JobOutput): Promise<number> {
  const directory = process.cwd();
  const project = await requireProjectName(directory);
  // Before the check, which takes minutes: without a forge, its result could not be reported.
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
    const { text, code } = describeFailure(error);
    throw new CodedError(`${text} To check without an issue, add --no-issue.`, code);
  }
}
