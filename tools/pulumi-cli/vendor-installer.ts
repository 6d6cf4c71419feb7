import { join } from "node:path";
import { engineName } from "./installed-copy";
import type { Installer } from "./installer";
import { isExecutableFile } from "./path-lookup";
import { startProgress } from "./progress";
import { runCommand } from "./run-command";

const contactTimeoutMs = 5_000;
const installTimeoutMs = 10 * 60_000;

/**
 * Pulumi's own installer, `PulumiCommand.install` of the Automation API. It fails after 5 seconds if it cannot be reached,
 * and after 10 minutes in any case. It runs in a separate process, because the Automation API cannot stop it.
 */
export const vendorInstaller: Installer = {
  origin: "vendor",
  title: "Pulumi's installer",
  async install({ workDirectory, environment, report, signal }) {
    const progress = startProgress("downloading the Pulumi CLI", report);
    try {
      const result = await runCommand(
        process.execPath,
        [join(__dirname, "vendor-installer-process.cjs"), workDirectory, `${contactTimeoutMs}`],
        { environment, timeoutMs: installTimeoutMs, ...(signal === undefined ? {} : { signal }) },
      );
      if (result.exitCode !== 0) {
        throw new Error(result.failure);
      }
    } finally {
      progress.stop();
    }
    const programs = join(workDirectory, "bin");
    if (!isExecutableFile(join(programs, engineName))) {
      throw new Error(`it installed no ${engineName}`);
    }
    return programs;
  },
};
