import { Command, InvalidArgumentError, Option } from "commander";
import { AgbClient } from "../api/client";
import { readSettings } from "../config";
import { findForge, requireForge } from "../forge/find-forge";
import type { ForgeSettings } from "../forge/forge-settings";
import { type JobOutput, openJobOutput } from "../forge/job-output";
import { systemClock } from "../lifecycle/wait";
import { takeDown } from "../previews/down";
import type { PreviewJob, ReleasingJob } from "../previews/job";
import { defaultLockWaitMs } from "../previews/locked-stack";
import { recover } from "../previews/recover";
import { parseCommit, parseOrganization, parseRequest } from "../previews/stack-name";
import { sweep } from "../previews/sweep";
import { somethingIsLeft } from "../previews/sweep-result";
import { bringUp } from "../previews/up";
import { readProjectName } from "../pulumi/project-name";
import { PulumiCli } from "../pulumi/pulumi-cli";
import { PulumiRunner } from "../pulumi/pulumi-process";
import { StoppedError } from "../pulumi/stop-requests";
import { isSettled } from "../sweep/release-orphan";
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

const stoppedCodes = "When it was stopped: 130 after SIGINT, 143 after SIGTERM, or Pulumi's own.";

/** The subcommand `preview-environment`: what CI jobs run for the requests of a repository. */
export function previewEnvironmentCommand(): Command {
  return new Command("preview-environment")
    .summary("create, remove and clean up the sandboxes of pull requests and merge requests")
    .description(
      "Create, remove and clean up the sandboxes of pull requests and merge requests, in CI jobs. " +
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
    .summary("create or update the environment of a request")
    .description(
      "Create or update the environment of a request, and report it in the one comment on the request. " +
        "The program gets the stack configuration preview:request and preview:commit, and in a job preview:repository.",
    )
    .addOption(requestOption())
    .addOption(parsedOption("--commit <id>", "commit that the environment shows", parseCommit).makeOptionMandatory())
    .addOption(organizationOption())
    .option(
      "--secrets-provider <provider>",
      "what encrypts the secrets of a new stack, in the form that `pulumi stack init` takes",
    )
    .addOption(lockWaitOption())
    .action((flags: UpFlags) => run("up", async (runner, output) => up(runner, output, flags)));
  return addHelpNotes(
    command,
    "Exit code: 0 when the environment is up, or when the request is closed and nothing was created; Pulumi's own when " +
      `\`pulumi up\` failed; 1 when Pulumi could not run. ${stoppedCodes}`,
  );
}

function downCommand(): Command {
  const command = new Command("down")
    .summary("release the sessions of a request and remove its stack")
    .description(
      "Release the sessions of a request, delete its contexts and remove its stack. When there is no stack, that is a " +
        "success. Sessions that no state knows are released only if they carry the id of this stack, or this repository's " +
        "id and the request is closed.",
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
        return exitCode !== 0 || orphans.every(isSettled) ? exitCode : somethingLeft;
      }),
    );
  return addHelpNotes(
    command,
    "Exit code: 0 when nothing is left, 2 when sessions are left; Pulumi's own when " +
      `\`pulumi destroy\` failed; 1 when anything else failed. ${stoppedCodes}`,
  );
}

function recoverCommand(): Command {
  const command = new Command("recover")
    .summary("clean up the stack of a request after a run that was cut off")
    .description(
      "Clean up the stack of a request after an `up` or `down` that was cut off in this folder: end its Pulumi if it is " +
        "still running, free the lock, and release sessions that the state does not know. For a step that follows such a " +
        "run in the same job. When no run was cut off here it does nothing: the lock may belong to a run that is still active.",
    )
    .addOption(requestOption())
    .addOption(organizationOption())
    .option(
      "--force",
      "clean up even when no run was cut off here; takes the lock from its holder, so make sure that no run is active",
    )
    .addOption(includeUnidentifiedOption())
    .action((flags: RecoverFlags) =>
      run("recover", async (runner, output) => {
        const job = await openJob(runner, output, flags);
        const { request, force = false } = flags;
        const orphans = await releasing(job, flags, (releasingJob) => recover(releasingJob, { request, force }));
        return orphans.every(isSettled) ? 0 : somethingLeft;
      }),
    );
  return addHelpNotes(
    command,
    "Exit code: 0 when the stack is clean or no run was cut off here, 2 when sessions are left that could not be " +
      `released, 1 when the recovery failed. ${stoppedCodes}`,
  );
}

function sweepCommand(): Command {
  const command = new Command("sweep")
    .summary("remove the environments of closed requests, and sessions that no state knows")
    .description(
      "Find the environments of requests that are closed, and sessions of environments that no state knows. " +
        "Without --yes it only shows what it would do. It leaves everything that is not certain.",
    )
    .addOption(organizationOption())
    .addOption(
      parsedOption("--idle-days <number>", "treat requests without activity for this many days as closed", parseDays),
    )
    .addOption(olderThanOption("leave younger sessions that no state knows, as in 90s, 10m or 2h"))
    .addOption(includeUnidentifiedOption())
    .addOption(lockWaitOption())
    .option("--yes", "remove the stacks and release the sessions that were found")
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
  return addHelpNotes(command, "Exit code: 0 when nothing is left, 2 when something is left, 1 when the sweep failed.");
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
    throw new Error("There is no Pulumi.yaml here. Run this in the folder of the Pulumi project.");
  }
  const settings = readForgeSettings();
  warnAboutUnusableForge(settings, output);
  return {
    pulumi: new PulumiCli(runner, pulumiEnvironment()),
    project,
    organization,
    repository: readRepositoryId(),
    forge: findForge(settings),
    withClient,
    clock: systemClock,
    pause: (milliseconds) => runner.pause(milliseconds),
    signal: runner.signal,
    output,
  };
}

function warnAboutUnusableForge(settings: ForgeSettings, output: JobOutput): void {
  if (settings.kind === "none" && settings.isUnusable) {
    output.warn(settings.reason);
  }
}

/** Runs work with a client that is open for the whole job. */
function releasing<Result>(
  job: PreviewJob,
  { includeUnidentified: includesUnidentified }: ReleasingFlags,
  work: (job: ReleasingJob) => Promise<Result>,
): Promise<Result> {
  return withClient((client) => work({ ...job, client, withClient: (use) => use(client), includesUnidentified }));
}

/** Runs work with a client of the service and the key that the environment names. */
async function withClient<Result>(work: (client: AgbClient) => Promise<Result>): Promise<Result> {
  const { baseUrl, proxy, apiKey, timeoutMs } = readSettings(() => undefined);
  const client = new AgbClient({ baseUrl, proxy, timeoutMs, apiKey: apiKey.value });
  try {
    return await work(client);
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
    "how long to wait for another run on the same stack, as in 90s, 10m or 2h; it is then treated as dead and its lock " +
      "taken away; locks of processes known to be dead are taken immediately",
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
