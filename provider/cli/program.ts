// The command `pulumi-agb`. Each subcommand has a file of its own. This folder may import every layer except kinds/, hosts/
// and resources/.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { contextsCommand } from "./contexts";
import { driftCommand } from "./drift";
import { emulatorCommand } from "./emulator";
import { showHelpWell } from "./help-text";
import { previewEnvironmentCommand } from "./preview-environment";
import { sessionsCommand } from "./sessions";
import { sweepCommand } from "./sweep";

/** Creates the command with all its subcommands. */
export function createProgram(): Command {
  const program = new Command("pulumi-agb")
    .description("Work with AGB cloud sessions that Pulumi manages, and run a local AGB for tests.")
    .version(packageVersion(), "-V, --version", "print the version")
    .addCommand(sessionsCommand())
    .addCommand(contextsCommand())
    .addCommand(emulatorCommand())
    .addCommand(sweepCommand())
    .addCommand(driftCommand())
    .addCommand(previewEnvironmentCommand());
  return showHelpWell(program);
}

function packageVersion(): string {
  const text = readFileSync(join(__dirname, "..", "..", "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
