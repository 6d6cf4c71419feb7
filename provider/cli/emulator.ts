import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { type Emulator, type EmulatorOptions, EmulatorStartError, startEmulator } from "../emulator";
import { optionDefaults } from "../emulator/options";
import { CodedError } from "../messages/coded-error";
import { emulatorProblem, unsavedState } from "./emulator-problem";
import { addHelpSections } from "./help-text";
import { closeInheritedFiles } from "./inherited-files";
import { onParentEnd } from "./parent-end";
import { type RequestLogFormat, requestLine } from "./request-log";

interface EmulatorFlags extends Omit<EmulatorOptions, "statePath" | "apiKeys" | "onRequest" | "onNotice"> {
  readonly state?: string;
  readonly apiKey?: readonly string[];
  readonly apiKeyFile?: string;
  readonly log?: RequestLogFormat;
}

/** The subcommand `emulator`: runs a local AGB until SIGINT or SIGTERM. */
export function emulatorCommand(): Command {
  const command = new Command("emulator")
    .summary("run a local AGB for development and tests")
    .description(
      "Run a local AGB for development and tests. It answers the AGB API on this computer and needs no account. Open " +
        "/_emulator/ at its address in a browser to watch its sessions and to cause drift. Stop it with Ctrl+C or SIGTERM.",
    )
    .addOption(numberOption("--port <number>", "TCP port to listen on; 0 takes a free one", optionDefaults.port))
    .option(
      "--host <address>",
      "address or name to listen on; if other machines can reach it, --api-key is required",
      optionDefaults.host,
    )
    .option("--state <file>", "keep sessions and contexts in this file for the next start (default: in memory only)")
    .addOption(
      new Option(
        "--api-key <key>",
        "accept this API key; can be given several times. Other users can see it in the list of processes, so prefer the " +
          "environment variable or --api-key-file (default: accept every key)",
      )
        .env("AGB_EMULATOR_API_KEY")
        .argParser((key: string, earlier: readonly string[] = []) => [...earlier, key]),
    )
    .option("--api-key-file <file>", "accept the API keys in this file, one per line (default: no file)")
    .addOption(
      numberOption(
        "--default-idle-timeout-seconds <seconds>",
        "release a session after this many idle seconds, if its create names no timeout",
        optionDefaults.defaultIdleTimeoutSeconds,
      ),
    )
    .addOption(
      numberOption(
        "--maximum-lifetime-seconds <seconds>",
        "release every session after this many seconds",
        optionDefaults.maximumLifetimeSeconds,
      ),
    )
    .addOption(
      numberOption(
        "--release-delay-ms <milliseconds>",
        "report a released session as DELETING for this long, then as not found",
        optionDefaults.releaseDelayMs,
      ),
    )
    .addOption(
      numberOption(
        "--latency-ms <milliseconds>",
        "take at least this long for every request",
        optionDefaults.latencyMs,
      ),
    )
    .addOption(
      new Option("--set-label <mode>", "let SetLabel replace all labels, or add to them")
        .choices(["replace", "merge"])
        .default(optionDefaults.setLabel),
    )
    .addOption(
      numberOption(
        "--label-index-delay-ms <milliseconds>",
        "let a label filter find a new session only after this long",
        optionDefaults.labelIndexDelayMs,
      ),
    )
    .addOption(
      numberOption("--maximum-sessions <number>", "allow this many sessions at the same time (default: no limit)"),
    )
    .addOption(
      numberOption(
        "--requests-per-second <number>",
        "answer this many requests per second, and others with HTTP 429 and Retry-After (default: no limit)",
      ),
    )
    .addOption(
      new Option("--log <format>", "write one line per request to standard error (default: no log)").choices([
        "json",
        "pretty",
      ]),
    )
    .addOption(
      numberOption(
        "--page-cap <number>",
        "return at most this many sessions on one page of a list",
        optionDefaults.pageCap,
      ),
    )
    .addOption(
      numberOption(
        "--maximum-file-bytes <bytes>",
        "refuse context files larger than this",
        optionDefaults.maximumFileBytes,
      ),
    )
    .option(
      "--allow-exec",
      "let sessions run commands and code, as your own user on this computer (default: tools are refused)",
    )
    .addHelpText("after", faultsHelp)
    .action(runEmulator);
  return addHelpSections(command, {
    notes: [
      "To use it, set AGB_ENDPOINT to the address that it prints, and AGB_API_KEY to an accepted key. If every key is " +
        "accepted, set any.",
    ],
    exitCodes: { "0": "stopped", "1": "could not start, or could not save the state at the end" },
  });
}

const faultsHelp = `
Faults:
  POST a rule to /_emulator/faults at the emulator's address to add it.
    {"operation": "ListSession" or "*", "calls": 2 or [1, 3] or "every",
     "when": "before" or "after", "delayMs": 500,
     "answer": {"status": 503, "body": ..., "headers": {...}}
               or "reset" or "truncate"}
  Only "operation" is required. DELETE /_emulator/faults removes all rules.
  docs/emulator.md describes every field and the other endpoints.`;

async function runEmulator(
  { state, apiKey, apiKeyFile, log, ...flags }: EmulatorFlags,
  command: Command,
): Promise<void> {
  if (command.getOptionValueSource("apiKey") === "cli") {
    // Hides the arguments, and so the key, in the list of processes.
    process.title = "pulumi-agb emulator";
  }
  let emulator: Emulator;
  try {
    const apiKeys = [...(apiKey ?? []), ...(apiKeyFile === undefined ? [] : readKeys(apiKeyFile))];
    // Sessions could use inherited files. This comes after the keys are read, because they may be in one.
    closeInheritedFiles();
    emulator = await startEmulator({
      ...flags,
      onNotice: (text, code) => process.stderr.write(`${emulatorProblem(text, code)}\n`),
      ...(state !== undefined && { statePath: state }),
      ...(apiKeys.length > 0 && { apiKeys }),
      ...(log !== undefined && { onRequest: (entry) => process.stderr.write(`${requestLine(entry, log)}\n`) }),
    });
  } catch (error) {
    if (!(error instanceof EmulatorStartError) && !(error instanceof CodedError)) {
      throw error;
    }
    console.error(emulatorProblem(error.message, error instanceof CodedError ? error.messageCode : error.code));
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
        console.error(unsavedState(error));
        process.exit(1);
      },
    );
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  onParentEnd(stop);
}

/** @throws CodedError when the file cannot be read or has no key */
function readKeys(file: string): string[] {
  const unusable = (problem: string) =>
    new CodedError(
      `Cannot read keys from --api-key-file ${file}: ${problem}. Name a file with one API key per line.`,
      "AGB806",
    );
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw unusable((error as Error).message);
  }
  const keys = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (keys.length === 0) {
    throw unusable("it has no key");
  }
  return keys;
}

function numberOption(flags: string, description: string, defaultValue?: number): Option {
  const option = new Option(flags, description).argParser((text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value)) {
      throw new InvalidArgumentError("Give a number.");
    }
    return value;
  });
  return defaultValue === undefined ? option : option.default(defaultValue);
}
