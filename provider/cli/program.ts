import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { driftCommand } from "./drift";
import { emulatorCommand } from "./emulator";
import { previewEnvironmentCommand } from "./preview-environment";
import { sweepCommand } from "./sweep";

/** Creates the command `pulumi-agb` with all its subcommands. It runs nothing. */
export function createProgram(): Command {
  return new Command("pulumi-agb")
    .description("Tools for AGB cloud sessions that Pulumi manages.")
    .version(packageVersion())
    .showHelpAfterError("(run with --help for the options)")
    .addCommand(emulatorCommand())
    .addCommand(sweepCommand())
    .addCommand(driftCommand())
    .addCommand(previewEnvironmentCommand());
}

function packageVersion(): string {
  const text = readFileSync(join(__dirname, "..", "..", "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
