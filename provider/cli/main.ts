// The command `pulumi-agb`. Each subcommand has a file of its own. This folder may import every layer except dynamic/ and
// resources/.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { driftCommand } from "./drift";
import { emulatorCommand } from "./emulator";
import { previewEnvironmentCommand } from "./preview-environment";
import { sweepCommand } from "./sweep";

function packageVersion(): string {
  const text = readFileSync(join(__dirname, "..", "..", "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

const program = new Command("pulumi-agb")
  .description("Tools for AGB cloud sessions that Pulumi manages.")
  .version(packageVersion())
  .showHelpAfterError("(run with --help for the options)")
  .addCommand(emulatorCommand())
  .addCommand(sweepCommand())
  .addCommand(driftCommand())
  .addCommand(previewEnvironmentCommand());

void program.parseAsync();
