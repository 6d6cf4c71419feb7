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
import { appNotUp, bringUp } from "../previews/up";
import { requireProjectName } from "../pulumi/project-name";
import { PulumiCli } from "../pulumi/pulumi-cli";
import { PulumiRunner } from "../pulumi/pulumi-process";
import { isSettled } from "../sweep/release-orphan";
import { reportFailure } from "./command-failure";
import { parseDurationMs } from "./duration";
import {
  pulumiEnvironment,
  readForgeSettings,
  readJobSettings,
  readProxyEnvironment,
  readRepositoryId,
} from "./environment";
import { addHelpSections } from "./help-text";
import { includeUnidentifiedOption, olderThanOption, somethingLeft } from "./left-over";

const defaultHealthTimeoutMs = 60_000;

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
  readonly healthTimeout: number;
  readonly commit: string;
  readonly secretsProvider?: string;
}

interface SweepFlags extends CommonFlags, ReleasingFlags {
  readonly idleDays?: number;
  readonly olderThan: number;
  readonly lockWait: number;
  readonly yes?: true;
}

const stoppedCodes = { "130, 143": "stopped by SIGINT or SIGTERM; Pulumi's own code if Pulumi was running" };

const jobEnvironment = {
  AGB_API_KEY: "API key of AGB",
  AGB_ENDPOINT: "address of AGB, if it is not the public service",
  GITHUB_TOKEN: "token for the comment on GitHub, with the permission `pull-requests: write`",
  GITLAB_TOKEN: "token for the comment on GitLab, with the scope api and the role Developer",
};

/** The subcommand `preview-environment`: what CI jobs run for pull requests and merge requests. */
export function previewEnvironmentCommand(): Command {
  return new Command("preview-environment")
    .summary("manage the preview environments of pull requests and merge requests")
    .description(
      "Manage the preview environments of pull requests and merge requests in CI jobs. Each request has a stack of its own, " +
        "pr-NUMBER. Run this in the folder of the Pulumi project. Keys and tokens come from the environment: AGB_API_KEY, " +
        "GITHUB_TOKEN or GITLAB_TOKEN, and the variables of Pulumi's backend.",
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
      "Create or update the environment of a request, and report it in one comment on the request. The program gets " +
        "preview:request and preview:commit as stack configuration, and in a CI job also preview:repository and " +
        "agb:repository. If the environment has apps (PreviewEnvironment, or the program's output previewApp), wait until they answer through " +
        "AGB's link. An app that no longer answers before the update is restarted.",
    )
    .addOption(requestOption())
    .addOption(parsedOption("--commit <id>", "commit that the environment is for", parseCommit).makeOptionMandatory())
    .addOption(organizationOption())
    .option(
      "--secrets-provider <provider>",
      "secrets provider of a new stack, as `pulumi stack init` takes it (default: the backend's own)",
    )
    .addOption(
      new Option("--health-timeout <duration>", "how long to wait until the apps answer: 90s, 10m or 2h; 0s asks once")
        .argParser(parseDurationMs)
        .default(defaultHealthTimeoutMs, "60s"),
    )
    .addOption(lockWaitOption())
    .action((flags: UpFlags) => run("up", async (runner, output) => up(runner, output, flags)));
  return addHelpSections(command, {
    environment: jobEnvironment,
    exitCodes: {
      "0": "the environment is ready, or the request is closed and nothing was created",
      other: "Pulumi's own code when `pulumi up` failed",
      "1": "Pulumi could not run, or something else removed the stack at the same time",
      [appNotUp]: "the update succeeded, but an app is not healthy or could not be checked",
      ...stoppedCodes,
    },
  });
}

function downCommand(): Command {
  const command = new Command("down")
    .summary("remove the environment of a request")
    .description(
      "Remove the environment of a request: release its sessions, delete its contexts and remove its stack. Succeeds when " +
        "there is no stack. Sessions that no state knows are released only if they carry the id of this stack, or if they " +
        "carry this repository's id and the request is closed.",
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
  return addHelpSections(command, {
    environment: jobEnvironment,
    exitCodes: {
      "0": "nothing is left",
      "2": "sessions are left",
      other: "Pulumi's own code when `pulumi destroy` failed",
      "1": "something other than `pulumi destroy` failed",
      ...stoppedCodes,
    },
  });
}

function recoverCommand(): Command {
  const command = new Command("recover")
    .summary("clean up after an `up` or `down` that was cut off")
    .description(
      "Clean up after an `up` or `down` that was cut off in this folder: end its Pulumi if it is still running, free the " +
        "lock of the stack, and release sessions that the state does not know. Run this as the next step of the same job. " +
        "It does nothing when no run was cut off here, because the lock may belong to a run that is still active.",
    )
    .addOption(requestOption())
    .addOption(organizationOption())
    .option(
      "--force",
      "clean up even when no run was cut off here; takes the lock from any holder, so make sure that no run is active",
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
  return addHelpSections(command, {
    environment: jobEnvironment,
    exitCodes: {
      "0": "the stack is clean, or no run was cut off here",
      "2": "sessions are left that could not be released",
      "1": "the recovery failed",
      ...stoppedCodes,
    },
  });
}

function sweepCommand(): Command {
  const command = new Command("sweep")
    .summary("remove environments of closed requests, and leftover sessions")
    .description(
      "Remove environments whose request is closed, and sessions of environments that no state knows. Without --yes it " +
        "only shows what it would remove. It leaves everything that it is not certain about.",
    )
    .addOption(organizationOption())
    .addOption(
      parsedOption(
        "--idle-days <number>",
        "treat requests without activity for this many days as closed (default: never)",
        parseDays,
      ),
    )
    .addOption(olderThanOption("leave sessions younger than this that no state knows: 90s, 10m or 2h"))
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
  return addHelpSections(command, {
    environment: jobEnvironment,
    exitCodes: { "0": "nothing is left", "2": "something is left", "1": "the sweep failed", ...stoppedCodes },
  });
}

async function up(runner: PulumiRunner, output: JobOutput, flags: UpFlags): Promise<number> {
  const { request, commit, secretsProvider, lockWait: lockWaitMs, healthTimeout: healthTimeoutMs } = flags;
  const job = await openJob(runner, output, flags);
  return bringUp(job, { request, commit, secretsProvider, lockWaitMs, healthTimeoutMs });
}

async function run(name: string, work: (runner: PulumiRunner, output: JobOutput) => Promise<number>): Promise<void> {
  const runner = new PulumiRunner(".");
  const output = openJobOutput(readJobSettings());
  try {
    process.exitCode = await work(runner, output);
  } catch (error) {
    reportFailure(output, `preview-environment ${name}`, error);
  }
}

async function openJob(runner: PulumiRunner, output: JobOutput, { organization }: CommonFlags): Promise<PreviewJob> {
  const project = await requireProjectName(".");
  const settings = readForgeSettings();
  warnAboutUnusableForge(settings, output);
  return {
    pulumi: new PulumiCli(runner, pulumiEnvironment()),
    project,
    organization,
    repository: readRepositoryId(),
    forge: findForge(settings),
    withClient,
    environment: readProxyEnvironment(),
    clock: systemClock,
    pause: (milliseconds) => runner.pause(milliseconds),
    signal: runner.signal,
    output,
  };
}

function warnAboutUnusableForge(settings: ForgeSettings, output: JobOutput): void {
  if (settings.kind === "none" && settings.isUnusable) {
    output.warn(settings.reason, settings.code);
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
  const { baseUrl, proxy, apiKey, timeoutMs } = readSettings(undefined);
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
    "organization in Pulumi Cloud that owns the stacks (default: your own account)",
    parseOrganization,
  );
}

function lockWaitOption(): Option {
  return new Option(
    "--lock-wait <duration>",
    "how long to wait while another run holds the stack's lock: 90s, 10m or 2h; after that, the run is treated as dead " +
      "and its lock is removed; locks of processes known to be dead are removed immediately",
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
    throw new Error("Give a number of days from 1 to 99999.");
  }
  return days;
}
