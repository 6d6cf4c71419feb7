// `npm run pulumi-agb -- ARGUMENTS` runs this package's command in the quick start's environment: with its emulator, its key and
// its stack. Adds nothing to standard output.

import { withQuickStart } from "./environment";

async function runPulumiAgb(): Promise<void> {
  process.exitCode = await withQuickStart((quickStart) => quickStart.runOwnCommand(process.argv.slice(2)));
}

void runPulumiAgb();
