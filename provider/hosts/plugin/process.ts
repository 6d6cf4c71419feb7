import { endWithRun } from "../end-of-run";
import { EngineLog } from "./engine-log";
import { servePlugin } from "./server";
import type { ServedPackage } from "./service";

/** What the process serves, and what it does at its end. */
export interface PluginProcess {
  /** @param say tells the user something that is not about a single resource */
  open(say: (message: string) => void): ServedPackage & {
    /** Called when the run ends early. The process ends when it is done, or after `endLimitMs`. */
    onEnd(): Promise<void>;
  };
  /** Longest time that the process outlives its run, in milliseconds. */
  readonly endLimitMs: number;
}

/**
 * Runs the process that the engine starts: prints its port, and ends with its engine.
 *
 * @param parameters the parameters that the engine passes: flags, and its own address as the last one
 */
export async function runPlugin({ open, endLimitMs }: PluginProcess, parameters: readonly string[]): Promise<void> {
  const log = new EngineLog();
  const address = parameters.filter((parameter) => !parameter.startsWith("-")).at(-1);
  if (address !== undefined) {
    log.attach(address);
  }
  const served = open((message) => log.say(message));
  endWithRun(() => served.onEnd(), endLimitMs);
  const { port } = await servePlugin(served, log);
  process.stdout.write(`${port}\n`);
}
