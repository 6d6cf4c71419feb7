// The command `pulumi-agb`. Each subcommand is a file of its own; here they are only put together.
// May import every layer but dynamic/ and resources/.

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
  .description("Tools around AGB cloud sessions that are managed with Pulumi.")
  .version(packageVersion())
  .showHelpAfterError("(run with --help for the options)")
  .addCommand(emulatorCommand())
  .addCommand(sweepCommand())
  .addCommand(driftCommand())
  .addCommand(previewEnvironmentCommand());

void program.parseAsync();
