import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { type Emulator, type EmulatorOptions, EmulatorStartError, startEmulator } from "../emulator";
import { optionDefaults } from "../emulator/options";
import { addHelpNotes } from "./help-text";
import { closeInheritedFiles } from "./inherited-files";
import { onParentEnd } from "./parent-end";
import { type RequestLogFormat, requestLine } from "./request-log";

interface EmulatorFlags extends Omit<EmulatorOptions, "statePath" | "apiKeys" | "onRequest" | "onNotice"> {
  readonly state?: string;
  readonly apiKey?: readonly string[];
  readonly apiKeyFile?: string;
  readonly log?: RequestLogFormat;
}

/** The subcommand `emulator`: a local AGB that runs until it is stopped by SIGINT or SIGTERM. */
export function emulatorCommand(): Command {
  const command = new Command("emulator")
    .summary("run a local AGB that answers the API of AGB on this computer")
    .description(
      "Run a local AGB that answers the API of AGB on this computer. " +
        "Open /_emulator/ at its address in a browser to watch it and to cause drift by hand. " +
        "Stop it with Ctrl+C or SIGTERM. Sessions and contexts stay in the state file, if there is one.",
    )
    .addOption(numberOption("--port <number>", "TCP port; 0 takes a free one", optionDefaults.port))
    .option(
      "--host <address>",
      "address or name to listen on; one that other machines can reach needs --api-key",
      optionDefaults.host,
    )
    .option("--state <file>", "file in which sessions and contexts outlive the emulator (default: in memory only)")
    .addOption(
      new Option(
        "--api-key <key>",
        "an API key to accept; can be given several times. Others can see an argument in the list of processes; the " +
          "environment variable and --api-key-file do not show the key (default: every key)",
      )
        .env("AGB_EMULATOR_API_KEY")
        .argParser((key: string, earlier: readonly string[] = []) => [...earlier, key]),
    )
    .option("--api-key-file <file>", "file with API keys to accept, one per line (default: none)")
    .addOption(
      numberOption(
        "--default-idle-timeout-seconds <number>",
        "idle seconds after which a session is released if its create names no timeout",
        optionDefaults.defaultIdleTimeoutSeconds,
      ),
    )
    .addOption(
      numberOption(
        "--maximum-lifetime-seconds <number>",
        "seconds after which a session is released in any case",
        optionDefaults.maximumLifetimeSeconds,
      ),
    )
    .addOption(
      numberOption(
        "--release-delay-ms <number>",
        "milliseconds for which a released session reports DELETING before it is gone",
        optionDefaults.releaseDelayMs,
      ),
    )
    .addOption(
      numberOption("--latency-ms <number>", "milliseconds that every request takes at least", optionDefaults.latencyMs),
    )
    .addOption(
      new Option("--set-label <mode>", "whether SetLabel replaces all labels or adds to them")
        .choices(["replace", "merge"])
        .default(optionDefaults.setLabel),
    )
    .addOption(
      numberOption(
        "--label-index-delay-ms <number>",
        "milliseconds until a label filter finds a new session",
        optionDefaults.labelIndexDelayMs,
      ),
    )
    .addOption(
      numberOption("--maximum-sessions <number>", "sessions that may run at the same time (default: no limit)"),
    )
    .addOption(
      numberOption(
        "--requests-per-second <number>",
        "requests answered per second; more get HTTP 429 with Retry-After (default: no limit)",
      ),
    )
    .addOption(
      new Option("--log <format>", "write one line per request to stderr (default: none)").choices(["json", "pretty"]),
    )
    .addOption(numberOption("--page-cap <number>", "the most sessions on one page of a list", optionDefaults.pageCap))
    .addOption(
      numberOption(
        "--maximum-file-bytes <number>",
        "the most bytes of a file of a context",
        optionDefaults.maximumFileBytes,
      ),
    )
    .option(
      "--allow-exec",
      "let sessions run commands and code as your own user on this computer, in a folder for each session (default: tools answer that they are not allowed)",
    )
    .addHelpText("after", faultsHelp)
    .action(runEmulator);
  return addHelpNotes(
    command,
    "Exit code: 0 after it was stopped, 1 when it could not start or could not save its state.",
  );
}

const faultsHelp = `
Faults:
  POST a rule to /_emulator/faults at the emulator's address. DELETE /_emulator/faults removes all rules.
    {"operation": "ListSession" or "*", "calls": 2 or [1, 3] or "every", "when": "before" or "after",
     "delayMs": 500, "answer": {"status": 503, "body": ..., "headers": {...}} or "reset" or "truncate"}
  Only "operation" is required. docs/emulator.md describes every field and the other endpoints under /_emulator/.`;

async function runEmulator(
  { state, apiKey, apiKeyFile, log, ...flags }: EmulatorFlags,
  command: Command,
): Promise<void> {
  if (command.getOptionValueSource("apiKey") === "cli") {
    // Removes the arguments, and with them the key, from the list of processes.
    process.title = "pulumi-agb emulator";
  }
  let emulator: Emulator;
  try {
    const apiKeys = [...(apiKey ?? []), ...(apiKeyFile === undefined ? [] : readKeys(apiKeyFile))];
    // Sessions could use them. Not earlier: the file with the keys may be one of them.
    closeInheritedFiles();
    emulator = await startEmulator({
      ...flags,
      onNotice: (text) => process.stderr.write(`pulumi-agb emulator: ${withoutControls(text)}\n`),
      ...(state !== undefined && { statePath: state }),
      ...(apiKeys.length > 0 && { apiKeys }),
      ...(log !== undefined && { onRequest: (entry) => process.stderr.write(`${requestLine(entry, log)}\n`) }),
    });
  } catch (error) {
    if (!(error instanceof EmulatorStartError)) {
      throw error;
    }
    console.error(`pulumi-agb emulator: ${error.message}`);
    process.exitCode = 1;
    return;
  }
  // The program that started the emulator may read the first line and close the pipe. The service goes on.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  console.log(`AGB emulator listening on ${emulator.url}`);
  const stop = () => {
    emulator.close().then(
      () => process.exit(0),
      (error: Error) => {
        console.error(`pulumi-agb emulator: the state could not be saved: ${error.message}`);
        process.exit(1);
      },
    );
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  onParentEnd(stop);
}

// A file name may contain control characters, which a terminal would obey.
function withoutControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** @throws EmulatorStartError when the file cannot be read or has no key */
function readKeys(file: string): string[] {
  const unusable = (problem: string) =>
    new EmulatorStartError(
      "INVALID_OPTION",
      `--api-key-file ${file} ${problem}. Name a file with one API key per line.`,
    );
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw unusable(`cannot be read: ${(error as Error).message}`);
  }
  const keys = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (keys.length === 0) {
    throw unusable("holds no key");
  }
  return keys;
}

function numberOption(flags: string, description: string, defaultValue?: number): Option {
  const option = new Option(flags, description).argParser((text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value)) {
      throw new InvalidArgumentError("It must be a number.");
    }
    return value;
  });
  return defaultValue === undefined ? option : option.default(defaultValue);
}
