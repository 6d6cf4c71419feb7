// The environment of the quick start. `npm start` (start.ts) and `npm run pulumi` (pulumi.ts) run Pulumi on the project at the
// repository's root, with a local backend. `npm run pulumi-agb` (pulumi-agb.ts) runs this package's command there. Without an API
// key they use a local AGB emulator. Imports tools/build, tools/pulumi-cli, provider/pulumi and what the emulator knows of this
// computer, and runs the built command of this package. Uses nothing else of the project.

import { mkdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { PulumiRunner } from "../../provider/pulumi/pulumi-process";
import { StoppedError } from "../../provider/pulumi/stop-requests";
import { buildPackage } from "../build/build-package";
import { type FoundPulumi, findPulumi } from "../pulumi-cli/find-pulumi";
import { projectDirectory } from "../pulumi-cli/pinned-version";
import { canIsolateSessions, ownCommand, type RunningEmulator, startEmulator } from "./emulator";
import { chooseService } from "./service";

const stackName = "dev";

/** Pulumi and this package's command for the quick start's stack. */
export interface QuickStart {
  /** Whether sessions can run commands: at AGB always, with the emulator if it can isolate them from this computer. */
  readonly canRunCommands: boolean;
  /** Runs the command `pulumi-agb` with this process's standard streams. Returns its exit code. */
  runOwnCommand(parameters: readonly string[]): Promise<number>;
  /** Runs a Pulumi command with this process's standard streams. Returns its exit code. */
  run(parameters: readonly string[]): Promise<number>;
  /**
   * Runs a Pulumi command and returns its standard output.
   *
   * @throws Error with its standard error when it fails
   */
  capture(parameters: readonly string[]): Promise<string>;
}

/**
 * Runs `work` with everything that a Pulumi command needs: builds the package if a source has changed, finds the CLI, starts
 * the emulator if no API key is set, creates the stack `dev` if it is missing. Stops the emulator afterwards. The state is in
 * `.quick-start/SERVICE/`.
 *
 * @returns the exit code of `work`, or 1 after an error, which is printed to standard error
 */
export async function withQuickStart(work: (quickStart: QuickStart) => Promise<number>): Promise<number> {
  const runner = new PulumiRunner(projectDirectory);
  let emulator: RunningEmulator | undefined;
  try {
    await buildPackage();
    const pulumi = await findPulumi({ signal: runner.signal });
    const service = chooseService(process.env, join(projectDirectory, `Pulumi.${stackName}.yaml`));
    const folder = join(projectDirectory, ".quick-start", service.folderName);
    const canRunCommands = service.kind === "real" || (await canIsolateSessions());
    if (service.kind === "emulator") {
      console.error("AGB_API_KEY is not set. Using the local AGB emulator.");
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const statePath = join(folder, "state.json");
      emulator = await startEmulator({ statePath, allowsExec: canRunCommands, signal: runner.signal });
    }
    const environment = await createPulumiEnvironment(process.env, pulumi, folder, emulator);
    await runner.capture(pulumi.command, ["stack", "select", "--create", stackName], environment);
    return await work({
      canRunCommands,
      runOwnCommand: (parameters) => runner.run(process.execPath, [ownCommand, ...parameters], environment),
      run: (parameters) => runner.run(pulumi.command, parameters, environment),
      capture: (parameters) => runner.capture(pulumi.command, parameters, environment),
    });
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return error instanceof StoppedError ? error.exitCode : 1;
  } finally {
    await emulator?.stop();
  }
}

/**
 * Returns the environment variables for Pulumi: `base`, with the CLI's folder first on PATH, a file backend and a Pulumi home
 * inside `folder`, an empty passphrase unless one is set, and the endpoint and API key of the emulator if there is one.
 */
export async function createPulumiEnvironment(
  base: NodeJS.ProcessEnv,
  pulumi: FoundPulumi,
  folder: string,
  emulator: Pick<RunningEmulator, "url" | "apiKey"> | undefined,
): Promise<NodeJS.ProcessEnv> {
  const home = join(folder, "home");
  const backend = join(folder, "backend");
  await mkdir(home, { recursive: true });
  await mkdir(backend, { recursive: true });
  const hasPassphrase =
    base["PULUMI_CONFIG_PASSPHRASE"] !== undefined || base["PULUMI_CONFIG_PASSPHRASE_FILE"] !== undefined;
  return {
    ...base,
    PATH: [pulumi.binDirectory, base["PATH"] ?? ""].join(delimiter),
    PULUMI_HOME: home,
    PULUMI_BACKEND_URL: pathToFileURL(backend).href,
    PULUMI_STACK: stackName,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...(hasPassphrase ? {} : { PULUMI_CONFIG_PASSPHRASE: "" }),
    ...(emulator === undefined ? {} : { AGB_API_KEY: emulator.apiKey, AGB_ENDPOINT: emulator.url }),
  };
}
