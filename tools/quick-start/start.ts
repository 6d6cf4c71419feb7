// `npm start` provisions the project at the repository's root and shows its sessions.

import { withQuickStart } from "./environment";
import { nextSteps } from "./next-steps";
import { formatOutputsTable } from "./outputs-table";

async function start(): Promise<void> {
  process.exitCode = await withQuickStart(async (quickStart) => {
    const exitCode = await quickStart.run(["up", "--yes", "--skip-preview"]);
    if (exitCode !== 0) {
      return exitCode;
    }
    const outputs = JSON.parse(await quickStart.capture(["stack", "output", "--json"])) as Record<string, unknown>;
    const table = formatOutputsTable(outputs);
    console.log((table.length === 0 ? ["There are no sessions."] : table).join("\n"));
    console.log("");
    console.log(nextSteps(quickStart.canRunCommands).join("\n"));
    return 0;
  });
}

void start();
