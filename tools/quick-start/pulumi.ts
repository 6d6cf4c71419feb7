// `npm run pulumi -- ARGUMENTS` runs any Pulumi command in the quick start's environment. Adds nothing to standard output, so
// that programs can read the output of `npm run --silent pulumi -- stack output --json`.

import { withQuickStart } from "./environment";

async function runPulumi(): Promise<void> {
  process.exitCode = await withQuickStart((quickStart) => quickStart.run(process.argv.slice(2)));
}

void runPulumi();
