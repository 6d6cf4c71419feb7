import { Command, InvalidArgumentError, Option } from "commander";
import { type Emulator, type EmulatorOptions, EmulatorStartError, startEmulator } from "../emulator";
import { type RequestLogFormat, requestLine } from "./request-log";

interface EmulatorFlags extends Omit<EmulatorOptions, "statePath" | "apiKeys" | "onRequest"> {
  readonly state?: string;
  readonly apiKey?: readonly string[];
  readonly log?: RequestLogFormat;
}

/** The subcommand `emulator`: a local AGB that runs until it is stopped by SIGINT or SIGTERM. */
export function emulatorCommand(): Command {
  return new Command("emulator")
    .summary("run a local AGB that answers the API of AGB on this computer")
    .description(
      "Run a local AGB that answers the API of AGB on this computer. " +
        "Open /_emulator/ at its address in a browser to watch it and to try out drift by hand. " +
        "Stop it with Ctrl+C or SIGTERM; the sessions stay in the state file, if there is one.",
    )
    .addOption(numberOption("--port <number>", "TCP port; 0 takes a free one", 0))
    .option(
      "--host <address>",
      "address or name to listen on; one that other machines can reach needs --api-key (default: 127.0.0.1)",
    )
    .option("--state <file>", "JSON file in which the sessions outlive the emulator (default: in memory only)")
    .option(
      "--api-key <key>",
      "an API key to accept; may be given several times (default: every key)",
      (key: string, earlier: readonly string[] = []) => [...earlier, key],
    )
    .addOption(
      numberOption(
        "--default-idle-timeout-seconds <number>",
        "idle seconds after which a session is released when its create names no timeout",
        300,
      ),
    )
    .addOption(
      numberOption(
        "--maximum-lifetime-seconds <number>",
        "seconds after which a session is released in any case",
        1800,
      ),
    )
    .addOption(
      numberOption(
        "--release-delay-ms <number>",
        "milliseconds a released session reports DELETING before it is gone",
        200,
      ),
    )
    .addOption(numberOption("--latency-ms <number>", "milliseconds every request takes at least", 0))
    .addOption(
      new Option("--set-label <mode>", "whether SetLabel replaces all labels or adds to them")
        .choices(["replace", "merge"])
        .default("replace"),
    )
    .addOption(
      numberOption("--label-index-delay-ms <number>", "milliseconds until a new session is found by its labels", 0),
    )
    .addOption(numberOption("--maximum-sessions <number>", "sessions that may run at once (default: no limit)"))
    .addOption(
      numberOption(
        "--requests-per-second <number>",
        "requests answered in a second; more get HTTP 429 with Retry-After (default: no limit)",
      ),
    )
    .addOption(
      new Option("--log <format>", "write one line per request to stderr (default: none)").choices(["json", "pretty"]),
    )
    .addOption(numberOption("--page-cap <number>", "the most sessions on one page of a list", 100))
    .option(
      "--allow-exec",
      "let sessions run commands and code as your own user on this computer, in a folder for each session (default: tools answer that they are not allowed)",
    )
    .action(runEmulator);
}

async function runEmulator({ state, apiKey, log, ...flags }: EmulatorFlags): Promise<void> {
  let emulator: Emulator;
  try {
    emulator = await startEmulator({
      ...flags,
      ...(state !== undefined && { statePath: state }),
      ...(apiKey !== undefined && { apiKeys: apiKey }),
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
  // Whoever started the emulator may read the first line and close the pipe; the service goes on.
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
}

function numberOption(flags: string, description: string, defaultValue?: number): Option {
  const option = new Option(flags, description).argParser((text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value)) {
      throw new InvalidArgumentError("It is not a number.");
    }
    return value;
  });
  return defaultValue === undefined ? option : option.default(defaultValue);
}
