import { Command, InvalidArgumentError, Option } from "commander";
import { quoted } from "../../api/outside-text";
import type { CommandSpec } from "../../lifecycle/command-run";
import { withAgb } from "../agb-access";
import { longestDurationMs, parseLimitedDurationMs } from "../duration";
import { readVariable } from "../environment";
import { addHelpSections } from "../help-text";
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
import { exitCodeOf, exitCodes, explainFailure } from "./exec-outcome";
import { TerminalRun } from "./terminal-run";

interface ExecFlags extends SelectionFlags {
  readonly cwd?: string;
  /** Values by name; `undefined` for a value that is in the user's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin?: true;
  readonly timeout?: number;
}

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
      ).argParser(parseLimitedDurationMs),
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
      timeoutSeconds: (flags.timeout ?? longestDurationMs) / 1_000,
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
