import { Command, InvalidArgumentError, Option } from "commander";
import { AgbClient } from "../api/client";
import { readSettings } from "../config";
import { findForge, requireForge } from "../forge/find-forge";
import type { ForgeSettings } from "../forge/forge-settings";
import { type JobOutput, openJobOutput } from "../forge/job-output";
import { isDone } from "../lifecycle/sweep";
import { systemClock } from "../lifecycle/wait";
import { takeDown } from "../previews/down";
import type { PreviewJob, ReleasingJob } from "../previews/job";
import { defaultLockWaitMs } from "../previews/locked-stack";
import { recover } from "../previews/recover";
import { parseCommit, parseOrganization, parseRequest } from "../previews/stack-name";
import { sweep } from "../previews/sweep";
import { somethingIsLeft } from "../previews/sweep-verdicts";
import { bringUp } from "../previews/up";
import { readProjectName } from "../pulumi/project-name";
import { PulumiCli } from "../pulumi/pulumi-cli";
import { PulumiRunner } from "../pulumi/pulumi-process";
import { StoppedError } from "../pulumi/stop-requests";
import { parseDurationMs } from "./duration";
import { pulumiEnvironment, readForgeSettings, readJobSettings, readRepositoryId } from "./environment";
import { addHelpNotes } from "./help-text";
import { includeUnidentifiedOption, olderThanOption, somethingLeft } from "./left-over";

interface CommonFlags {
  readonly organization?: string;
}

interface ReleasingFlags {
  readonly includeUnidentified: boolean;
}

interface RequestFlags extends CommonFlags {
  readonly request: number;
}

interface RecoverFlags extends RequestFlags, ReleasingFlags {
  readonly force?: true;
}

interface DownFlags extends RequestFlags, ReleasingFlags {
  readonly lockWait: number;
}

interface UpFlags extends RequestFlags {
  readonly lockWait: number;
  readonly commit: string;
  readonly secretsProvider?: string;
}

interface SweepFlags extends CommonFlags, ReleasingFlags {
  readonly idleDays?: number;
  readonly olderThan: number;
  readonly lockWait: number;
  readonly yes?: true;
}

const stoppedCodes = "When it was stopped: 130 by SIGINT, 143 by SIGTERM, or Pulumi's own.";

/** The subcommand `preview-environment`: what CI jobs run for the requests of a repository. */
export function previewEnvironmentCommand(): Command {
  return new Command("preview-environment")
    .summary("make, take down and look after the sandboxes of pull requests and merge requests")
    .description(
      "Make, take down and look after the sandboxes of pull requests and merge requests, in CI jobs. " +
        "Run it in the folder of the Pulumi project. Each request has the stack pr-NUMBER. Keys come from the " +
        "environment: AGB_API_KEY, those of Pulumi's backend, and GITHUB_TOKEN or GITLAB_TOKEN.",
    )
    .addCommand(upCommand())
    .addCommand(downCommand())
    .addCommand(recoverCommand())
    .addCommand(sweepCommand());
}

function upCommand(): Command {
  const command = new Command("up")
    .summary("make the environment of a request, or bring it up to date")
    .description(
      "Make the environment of a request, or bring it up to date, and tell of it in the one comment on the request. " +
        "The program gets the stack configuration preview:request and preview:commit, in a job preview:repository too.",
    )
    .addOption(requestOption())
    .addOption(parsedOption("--commit <id>", "commit that the environment shows", parseCommit).makeOptionMandatory())
    .addOption(organizationOption())
    .option(
      "--secrets-provider <provider>",
      "what a new stack's secrets are encrypted with, as `pulumi stack init` takes it",
    )
    .addOption(lockWaitOption())
    .action((flags: UpFlags) => run("up", async (runner, output) => up(runner, output, flags)));
  return addHelpNotes(
    command,
    "Exit code: 0 when the environment is up, or when the request is closed and nothing was made; Pulumi's own when " +
      `\`pulumi up\` failed; 1 when it could not be run. ${stoppedCodes}`,
  );
}

function downCommand(): Command {
  const command = new Command("down")
    .summary("release the sessions of a request and remove its stack")
    .description(
      "Release the sessions of a request and remove its stack. That there is none is a success. Sessions that no state " +
        "knows are released only if they carry the id of this stack, or this repository's id and the request is closed.",
    )
    .addOption(requestOption())
    .addOption(organizationOption())
    .addOption(includeUnidentifiedOption())
    .addOption(lockWaitOption())
    .action((flags: DownFlags) =>
      run("down", async (runner, output) => {
        const job = await openJob(runner, output, flags);
        const { exitCode, orphans } = await releasing(job, flags, (releasingJob) =>
          takeDown(releasingJob, { request: flags.request, lockWaitMs: flags.lockWait }),
        );
        return exitCode !== 0 || orphans.every(isDone) ? exitCode : somethingLeft;
      }),
    );
  return addHelpNotes(
    command,
    "Exit code: 0 when nothing is left, 2 when sessions are left; Pulumi's own when " +
      `\`pulumi destroy\` failed; 1 when anything else did. ${stoppedCodes}`,
  );
}

function recoverCommand(): Command {
  const command = new Command("recover")
    .summary("put the stack of a request in order after a run that was cut off")
    .description(
      "Put the stack of a request in order after an `up` or `down` that was cut off in this folder: end its Pulumi if " +
        "that lives on, free the lock, release sessions that the state does not know. For a step that runs after such " +
        "a run in the same job. When none was cut off here it does nothing: the lock may be that of a run that lives.",
    )
    .addOption(requestOption())
    .addOption(organizationOption())
    .option("--force", "also when no run was cut off here: takes the lock from its holder, so make sure that none runs")
    .addOption(includeUnidentifiedOption())
    .action((flags: RecoverFlags) =>
      run("recover", async (runner, output) => {
        const job = await openJob(runner, output, flags);
        const { request, force = false } = flags;
        const orphans = await releasing(job, flags, (releasingJob) => recover(releasingJob, { request, force }));
        return orphans.every(isDone) ? 0 : somethingLeft;
      }),
    );
  return addHelpNotes(
    command,
    "Exit code: 0 when the stack is in order or no run was cut off here, 2 when sessions are left that could not be " +
      `released, 1 when it failed. ${stoppedCodes}`,
  );
}

function sweepCommand(): Command {
  const command = new Command("sweep")
    .summary("remove the environments of closed requests, and sessions that no state knows")
    .description(
      "Find the environments of requests that are closed, and sessions of environments that no state knows. " +
        "Shows what it would do; does it with --yes. Whatever is not certain is left alone.",
    )
    .addOption(organizationOption())
    .addOption(
      parsedOption(
        "--idle-days <number>",
        "take open requests to which nothing happened for so many days for closed",
        parseDays,
      ),
    )
    .addOption(olderThanOption("leave younger sessions that no state knows alone, as 90s, 10m or 2h"))
    .addOption(includeUnidentifiedOption())
    .addOption(lockWaitOption())
    .option("--yes", "remove and release what was found")
    .action((flags: SweepFlags) =>
      run("sweep", async (runner, output) => {
        const forge = requireForge(readForgeSettings());
        const job = await openJob(runner, output, flags);
        const result = await releasing(job, flags, (releasingJob) =>
          sweep(
            { ...releasingJob, forge },
            {
              idleDays: flags.idleDays,
              minimumAgeMs: flags.olderThan,
              execute: flags.yes === true,
              lockWaitMs: flags.lockWait,
            },
          ),
        );
        return result.failures.length > 0 ? 1 : somethingIsLeft(result) ? somethingLeft : 0;
      }),
    );
  return addHelpNotes(command, "Exit code: 0 when nothing is left, 2 when something is, 1 when the sweep failed.");
}

async function up(runner: PulumiRunner, output: JobOutput, flags: UpFlags): Promise<number> {
  const { request, commit, secretsProvider, lockWait: lockWaitMs } = flags;
  const job = await openJob(runner, output, flags);
  return bringUp(job, { request, commit, secretsProvider, lockWaitMs });
}

async function run(name: string, work: (runner: PulumiRunner, output: JobOutput) => Promise<number>): Promise<void> {
  const runner = new PulumiRunner(".");
  const output = openJobOutput(readJobSettings());
  try {
    process.exitCode = await work(runner, output);
  } catch (error) {
    output.fail(`pulumi-agb preview-environment ${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = error instanceof StoppedError ? error.exitCode : 1;
  }
}

async function openJob(runner: PulumiRunner, output: JobOutput, { organization }: CommonFlags): Promise<PreviewJob> {
  const project = await readProjectName(".");
  if (project === undefined) {
    throw new Error("There is no Pulumi.yaml here; run this in the folder of the Pulumi project.");
  }
  const settings = readForgeSettings();
  warnOfHalfConfigured(settings, output);
  return {
    pulumi: new PulumiCli(runner, pulumiEnvironment()),
    project,
    organization,
    repository: readRepositoryId(),
    forge: findForge(settings),
    clock: systemClock,
    pause: (milliseconds) => runner.pause(milliseconds),
    signal: runner.signal,
    output,
  };
}

function warnOfHalfConfigured(settings: ForgeSettings, output: JobOutput): void {
  if (settings.kind === "none" && settings.isHalfConfigured) {
    output.warn(settings.reason);
  }
}

async function releasing<Result>(
  job: PreviewJob,
  { includeUnidentified: includesUnidentified }: ReleasingFlags,
  work: (job: ReleasingJob) => Promise<Result>,
): Promise<Result> {
  const { baseUrl, proxy, apiKey, timeoutMs } = readSettings(() => undefined);
  const client = new AgbClient({ baseUrl, proxy, timeoutMs, apiKey: apiKey.value });
  try {
    return await work({ ...job, client, includesUnidentified });
  } finally {
    await client.close();
  }
}

function requestOption(): Option {
  return parsedOption(
    "--request <number>",
    "number of the pull request or merge request",
    parseRequest,
  ).makeOptionMandatory();
}

function organizationOption(): Option {
  return parsedOption(
    "--organization <name>",
    "organization of Pulumi Cloud that owns the stacks (default: your own)",
    parseOrganization,
  );
}

function lockWaitOption(): Option {
  return new Option(
    "--lock-wait <duration>",
    "how long to wait for another run on the same stack, as 90s, 10m or 2h, before it is taken for dead; one that is " +
      "seen to be dead is not waited for",
  )
    .argParser(parseDurationMs)
    .default(defaultLockWaitMs, "10m");
}

function parsedOption<Value>(flags: string, description: string, parse: (text: string) => Value): Option {
  return new Option(flags, description).argParser((text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  });
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!/^\d{1,5}$/.test(text) || days < 1) {
    throw new Error("It is not a number of days.");
  }
  return days;
}
