// The quick start: `npm start` (start.ts) and `npm run pulumi` (pulumi.ts) run Pulumi on the project at the repository's root, against a local
// backend and, without an API key, against a local AGB emulator. This file puts their common environment together. Uses
// tools/pulumi-cli, provider/pulumi and the built command line of this package, nothing else of the project.

import { mkdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { PulumiRunner } from "../../provider/pulumi/pulumi-process";
import { StoppedError } from "../../provider/pulumi/stop-requests";
import { type FoundPulumi, findPulumi } from "../pulumi-cli/find-pulumi";
import { projectDirectory } from "../pulumi-cli/pinned-version";
import { type RunningEmulator, startEmulator } from "./emulator";
import { chooseService } from "./service";

const stackName = "dev";

/** Pulumi, ready to run on the quick start's stack. */
export interface QuickStart {
  /** Runs a Pulumi command with this process's standard streams and returns its exit code. */
  run(parameters: readonly string[]): Promise<number>;
  /**
   * Runs a Pulumi command and returns its standard output.
   *
   * @throws Error with its standard error when it fails
   */
  capture(parameters: readonly string[]): Promise<string>;
}

/**
 * Prepares everything that a Pulumi command needs, runs `work`, and takes down again what was started: finds the CLI, starts the emulator when
 * no API key is set, makes the stack `dev` when it is missing. State is kept in `.quick-start/SERVICE/`.
 *
 * @returns the exit code: the one that `work` returns, or 1 after an error, which is printed on standard error
 */
export async function withQuickStart(work: (quickStart: QuickStart) => Promise<number>): Promise<number> {
  const runner = new PulumiRunner(projectDirectory);
  let emulator: RunningEmulator | undefined;
  try {
    const pulumi = await findPulumi({ signal: runner.signal });
    const service = chooseService(process.env, join(projectDirectory, `Pulumi.${stackName}.yaml`));
    const folder = join(projectDirectory, ".quick-start", service.folderName);
    if (service.kind === "emulator") {
      console.error("AGB_API_KEY is not set: using the local AGB emulator.");
      await mkdir(folder, { recursive: true, mode: 0o700 });
      emulator = await startEmulator({ statePath: join(folder, "state.json"), signal: runner.signal });
    }
    const environment = await createPulumiEnvironment(process.env, pulumi, folder, emulator);
    await runner.capture(pulumi.command, ["stack", "select", "--create", stackName], environment);
    return await work({
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
 * The environment variables to run Pulumi with: the given ones, the CLI's folder first on PATH, a file backend and a Pulumi home inside `folder`,
 * an empty passphrase unless one is set, and the emulator's endpoint and API key when there is one.
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
