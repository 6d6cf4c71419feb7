import { Command, InvalidArgumentError, Option } from "commander";
import type { AgbClient } from "../../api/client";
import { AgbError, AgbNotFoundError, AgbTimeoutError } from "../../api/errors";
import { printable, quoted } from "../../api/outside-text";
import { isTransient } from "../../api/retry";
import {
  AgbRunError,
  type CommandSpec,
  followRun,
  forgetRuns,
  newRunIdentity,
  type OutputName,
  prepareRun,
  type RunEnd,
  type RunIdentity,
  startRun,
  stopCommand,
} from "../../lifecycle/command-run";
import { AgbToolError } from "../../lifecycle/session-shell";
import { systemClock } from "../../lifecycle/wait";
import { CodedError } from "../../messages/coded-error";
import { describeFailure } from "../../messages/describe-failure";
import type { MessageCode } from "../../messages/message-codes";
import { noSession, noteFailure, noteLostOutput, withAgb } from "../agb-access";
import { parseDurationMs } from "../duration";
import { readVariable } from "../environment";
import { addHelpSections } from "../help-text";
import { onParentEnd } from "../parent-end";
import {
  addSelectionOptions,
  checkSelection,
  isByLabels,
  requireOneSession,
  type Selection,
  type SelectionFlags,
} from "../session-selection";
import { agbVariables } from "../settings-help";
import { toCommandLine } from "../shell-words";
import { encodeStdin, readStdin } from "../stdin";
import { watchOutput } from "../terminal";

interface ExecFlags extends SelectionFlags {
  readonly cwd?: string;
  /** Values by name; `undefined` for a value that is in the user's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin?: true;
  readonly timeout?: number;
}

/** Exit codes that are not the command's own, as of `docker exec` and `timeout`. */
const exitCodes = { failed: 125, timedOut: 124, readerGone: 141 } as const;

/** Nothing in a session lives longer, so this is no limit. */
const noLimitMs = 24 * 60 * 60_000;

/** An outage of the connection may last about a minute: each attempt has retries of its own. */
const mostAttempts = 10;
const retryDelayMs = 2_000;
/** An attempt that lasted this long reached AGB before it failed. */
const longOutageMs = 120_000;

/** How long to show the rest of the output after a command was ended. */
const longestDrainMs = 3_000;

/** One Ctrl+C may arrive several times: from the terminal, and from npm, which passes it on. */
const oneRequestMs = 1_000;

const stopCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** The subcommand `sessions exec`. */
export function execCommand(): Command {
  const command = new Command("exec")
    .summary("run a command in a session")
    .description(
      "Run a command in a session. Its output appears while it runs, byte for byte, and its exit code is the exit code of " +
        "this command. Each argument after `--` stays one argument. For pipes and variables, run a shell: -- sh -c 'ls | wc -l'.",
    )
    .usage("[options] [session-id] -- COMMAND [ARGS...]")
    .argument("[session-id]", "the session; whole, not the beginning of an id")
    .argument("[command...]", "the command and its arguments, after --");
  addSelectionOptions(command)
    .addOption(
      new Option(
        "--cwd <directory>",
        "absolute path in the session where it runs (default: the home directory)",
      ).argParser(parseDirectory),
    )
    .addOption(
      new Option(
        "--env <name=value>",
        "set a variable; can be given several times. NAME alone takes the value from your environment, so that no list of " +
          "processes shows it",
      )
        .argParser(collectVariables)
        .default({}, "none"),
    )
    .option("-i, --stdin", "send standard input to the command; it is read to its end first, at most 10 MB")
    .addOption(
      new Option(
        "--timeout <duration>",
        "end the command after this time: 90s, 10m or 2h (default: no limit)",
      ).argParser(parseTimeLimit),
    )
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitCodes.failed))
    .action(runExec);
  return addHelpSections(command, {
    notes: [
      "Ctrl+C ends the command and all processes that it started in the session. The command runs without a terminal, so " +
        "editors and other programs that need one do not work. While it runs, the session counts as used.",
    ],
    examples: [
      "pulumi-agb sessions exec SESSION_ID -- uname -a",
      "pulumi-agb sessions exec --stack dev --resource web -- sh -c 'ls | wc -l'",
      "pulumi-agb sessions exec SESSION_ID --cwd /tmp --env TOKEN -- ./deploy.sh",
    ],
    environment: agbVariables,
    exitCodes: {
      "124": "the command was ended at its time limit",
      "125": "it did not run, or nobody knows how it ended",
      "126, 127": "it cannot be executed, or was not found",
      "130, 143": "stopped by Ctrl+C or SIGTERM; the command was ended too",
      "any other": "the exit code of the command",
    },
  });
}

function parseDirectory(text: string): string {
  if (!text.startsWith("/")) {
    throw new InvalidArgumentError("Give an absolute path, such as /tmp.");
  }
  return text;
}

function collectVariables(text: string, earlier: ExecFlags["env"]): ExecFlags["env"] {
  const [, name, assigned] = /^([A-Za-z_][A-Za-z0-9_]*)(?:=(.*))?$/s.exec(text) ?? [];
  if (name === undefined) {
    throw new InvalidArgumentError("Give it as NAME=VALUE, or as NAME.");
  }
  return { ...earlier, [name]: assigned };
}

/** Fills in the variables whose values are in the user's environment. */
function readVariables(command: Command, named: ExecFlags["env"]): Record<string, string> {
  const entries = Object.entries(named).map(([name, assigned]) => {
    const value = assigned ?? readVariable(name);
    return value === undefined
      ? command.error(`error: your environment has no variable ${quoted(name)}. Set it, or give --env NAME=VALUE.`)
      : ([name, value] as const);
  });
  return Object.fromEntries(entries);
}

function parseTimeLimit(text: string): number {
  const limitMs = parseDurationMs(text);
  if (limitMs < 1_000 || limitMs > noLimitMs) {
    throw new InvalidArgumentError("Give a time from 1s to 24h.");
  }
  return limitMs;
}

async function runExec(_id: string | undefined, _words: string[], flags: ExecFlags, command: Command): Promise<void> {
  const { ids, words } = splitAtDashes(command);
  const selection: Selection = { ids, flags };
  if (words.length === 0) {
    command.error("error: no command is given. Give it after `--`, as in `exec SESSION_ID -- uname -a`.");
  }
  checkSelection(command, selection);
  const environment = readVariables(command, flags.env);
  const options = { name: "sessions exec", stack: flags.stack, failureCode: exitCodes.failed };
  await withAgb({ ...options, needsState: isByLabels(selection) }, async (agb) => {
    const sessionId = await requireOneSession(agb, selection);
    const input = flags.stdin ? encodeStdin(await readStdin(process.stdin)) : undefined;
    const spec: CommandSpec = {
      // `exec`, so that no shell stands between a signal and the command.
      command: `${input?.decoder ?? ""}exec ${toCommandLine(words)}`,
      environment,
      stdin: input?.text,
      workingDirectory: flags.cwd,
      timeoutSeconds: (flags.timeout ?? noLimitMs) / 1_000,
    };
    const run = new TerminalRun(agb.client, sessionId);
    try {
      return exitCodeOf(await run.execute(spec), flags);
    } catch (error) {
      throw explainFailure(error, sessionId, run.hasStarted, agb.baseUrl);
    }
  });
}

/** Splits the arguments at the first `--`. Commander drops it, but only it tells a session's id from a command. */
function splitAtDashes(command: Command): { ids: string[]; words: string[] } {
  let root = command as Command & { readonly rawArgs: string[] };
  while (root.parent !== null) {
    root = root.parent as typeof root;
  }
  const dashes = root.rawArgs.indexOf("--");
  const words = dashes < 0 ? [] : root.rawArgs.slice(dashes + 1);
  const ids = command.args.slice(0, Math.max(0, command.args.length - words.length));
  // There are too many words when the first `--` was the value of an option.
  if (ids.length > 1 || words.length > command.args.length) {
    command.error("error: give one session, and the command after `--`, as in `exec SESSION_ID -- uname -a`.");
  }
  return { ids, words };
}

/** A command that this process runs for the user at the terminal, and ends when the user says so. */
class TerminalRun {
  private readonly identity: RunIdentity = newRunIdentity();
  private stopCode: number | undefined;
  /** When the user first asked to stop. */
  private askedMs: number | undefined;
  private stopping: Promise<void> | undefined;
  /** Aborted when the rest of the output is not wanted. */
  private readonly giveUp = new AbortController();
  /** Whether the command may have started. */
  hasStarted = false;

  constructor(
    private readonly client: AgbClient,
    private readonly sessionId: string,
  ) {}

  /** Runs the command, shows its output and waits for its end. @returns how it ended, or the exit code after a signal */
  async execute(spec: CommandSpec): Promise<RunEnd | number> {
    const { client, sessionId, identity } = this;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => this.receive(stopCodes[signal]));
    }
    onParentEnd(() => this.receive(stopCodes.SIGHUP));
    watchOutput((error) => {
      if (error !== undefined) {
        noteLostOutput(error);
      }
      this.giveUp.abort();
      this.stop(error === undefined ? exitCodes.readerGone : exitCodes.failed);
    });
    await prepareRun(client, sessionId, identity);
    if (this.stopCode === undefined) {
      this.hasStarted = true;
      await startRun(client, sessionId, identity, spec);
      if (this.stopCode !== undefined) {
        this.endCommand();
      }
      const end = await this.follow(spec.timeoutSeconds).catch((error: unknown) => {
        if (!this.giveUp.signal.aborted) {
          throw error;
        }
        return undefined;
      });
      await this.stopping;
      await this.forget();
      return this.stopCode ?? end ?? exitCodes.failed;
    }
    await this.forget();
    return this.stopCode;
  }

  /** Shows the output until the command ends. Follows it again after an outage: the command does not notice one. */
  private async follow(timeoutSeconds: number): Promise<RunEnd> {
    const { client, sessionId, identity } = this;
    const shownBytes = { stdout: 0, stderr: 0 };
    for (let attempt = 1; ; attempt++) {
      const beganMs = systemClock.elapsedMs();
      const skippedBytes = { ...shownBytes };
      const onOutput = (name: OutputName, bytes: Buffer) => {
        const rest = bytes.subarray(Math.min(skippedBytes[name], bytes.length));
        skippedBytes[name] -= bytes.length - rest.length;
        shownBytes[name] += rest.length;
        process[name].write(rest);
      };
      try {
        return await followRun(client, sessionId, identity, timeoutSeconds, {
          clock: systemClock,
          onOutput,
          keptBytes: 0,
          signal: this.giveUp.signal,
        });
      } catch (error) {
        attempt = systemClock.elapsedMs() - beganMs > longOutageMs ? 1 : attempt;
        const mayPass = isTransient(error) || error instanceof AgbTimeoutError;
        if (!mayPass || attempt >= mostAttempts || this.stopCode !== undefined) {
          throw error;
        }
        await systemClock.sleep(retryDelayMs);
      }
    }
  }

  /** Ends the command, or at the second request of the user this process without it. */
  private receive(exitCode: number): void {
    const nowMs = systemClock.elapsedMs();
    if (this.askedMs === undefined) {
      this.askedMs = nowMs;
      this.stop(exitCode);
    } else if (nowMs - this.askedMs >= oneRequestMs) {
      process.exit(exitCode);
    }
  }

  private stop(exitCode: number): void {
    this.stopCode ??= exitCode;
    if (this.hasStarted) {
      this.endCommand();
    }
  }

  private endCommand(): void {
    this.stopping ??= stopCommand(this.client, this.sessionId, this.identity).then(
      () => {
        // A command that wrote faster than its output could be read may have left gigabytes of it.
        setTimeout(() => this.giveUp.abort(), longestDrainMs).unref();
      },
      (error: unknown) => {
        const { text, code } = describeFailure(error);
        noteFailure("the command could not be ended and may still run", { text, code });
        process.exit(this.stopCode);
      },
    );
  }

  /** Removes what the run left in the session. The session ends soon, so a failure does not matter. */
  private async forget(): Promise<void> {
    await forgetRuns(this.client, this.sessionId, this.identity).catch(() => {});
  }
}

/** Returns the exit code for the end of a command. @throws CodedError when it has none */
export function exitCodeOf(end: RunEnd | number, { cwd, timeout }: Pick<ExecFlags, "cwd" | "timeout">): number {
  if (typeof end === "number") {
    return end;
  }
  switch (end.reason) {
    case "exited":
      return end.exitCode ?? exitCodes.failed;
    case "timed out":
      noteFailure("the command", {
        text: `it was ended at its time limit (--timeout ${(timeout ?? noLimitMs) / 1_000}s), with all that it started`,
        code: "AGB641",
      });
      return exitCodes.timedOut;
    case "no directory":
      throw new CodedError(
        `The command did not run, because its directory does not exist in the session: ${printable(cwd ?? "the home directory")}. ` +
          "Give another one with --cwd.",
        "AGB640",
      );
    case "no space":
      throw new CodedError(
        "The command did not run, because nothing could be written to /tmp in the session. Free space there, or recreate the session.",
        "AGB638",
      );
    case "killed":
      throw new CodedError(
        "Something in the session killed what ran the command, so nobody knows how it ended. Look at what it did before you run " +
          "it again.",
        "AGB639",
      );
  }
}

/** Says what a failure means for the command. */
export function explainFailure(error: unknown, sessionId: string, hasStarted: boolean, baseUrl: string): unknown {
  const coded = (reason: string, code: MessageCode) => new CodedError(reason, code, { cause: error });
  if (error instanceof AgbNotFoundError) {
    return hasStarted
      ? coded(
          `Session ${printable(sessionId)} ended while the command ran, and the command with it. AGB releases a session when its ` +
            "lifetime is over. Run `pulumi up --refresh` to recreate a session of a stack, then run the command again.",
          "AGB637",
        )
      : noSession(sessionId, baseUrl);
  }
  if (error instanceof AgbToolError) {
    return coded(
      `Session ${printable(sessionId)} does not run the command: ${withoutStop(error.message)}. The session's image needs the ` +
        "tools shell and write_file.",
      "AGB638",
    );
  }
  if (error instanceof AgbRunError) {
    return error.problem === "unusable"
      ? coded(`The command did not run: ${error.message}. Run it in a session of another image.`, "AGB638")
      : coded(
          `${error.message}. Nobody knows how the command ended. Look at what it did before you run it again.`,
          "AGB639",
        );
  }
  if (error instanceof AgbError && hasStarted) {
    return coded(
      `${withoutStop(error.message)}. The command may still run in session ${printable(sessionId)}. Look there before you run it again.`,
      "AGB639",
    );
  }
  return error;
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, "");
}
