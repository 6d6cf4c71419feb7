// `npm run pulumi -- ARGUMENTS`: runs any Pulumi command in the quick start's environment. Prints nothing of its own on standard
// output, so that the output of `npm run --silent pulumi -- stack output --json` can be read by programs.

import { withQuickStart } from "./environment";

async function runPulumi(): Promise<void> {
  process.exitCode = await withQuickStart((quickStart) => quickStart.run(process.argv.slice(2)));
}

void runPulumi();
