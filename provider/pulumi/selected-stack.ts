import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";

const run = promisify(execFile);

/** How long a look into a backend may take, in milliseconds. */
export const backendTimeoutMs = 120_000;

const configSchema = z.record(z.string(), z.looseObject({ value: z.string().optional() }));

/**
 * Asks the Pulumi CLI for the configuration of a stack, secrets decrypted.
 *
 * @param stack name of the stack; the selected one when absent
 * @returns gives the value of a key such as `agb:endpoint`
 * @throws Error when the CLI does not give it, among other things outside of a project's folder
 */
export async function readStackConfig(stack: string | undefined): Promise<(key: string) => string | undefined> {
  const config = configSchema.parse(JSON.parse(await ask("config", "--json", "--show-secrets", ...stackOption(stack))));
  return (key) => config[key]?.value;
}

/** Name of the selected stack, without its organization; `undefined` when none is selected. */
export async function readSelectedStack(): Promise<string | undefined> {
  const name = await ask("stack", "--show-name").catch(() => "");
  return name.trim().split("/").at(-1) || undefined;
}

function stackOption(stack: string | undefined): string[] {
  return stack === undefined ? [] : ["--stack", stack];
}

async function ask(...parameters: string[]): Promise<string> {
  try {
    return (await run("pulumi", [...parameters, "--non-interactive"], { timeout: backendTimeoutMs })).stdout;
  } catch (error) {
    throw new Error(`pulumi ${parameters.join(" ")} failed: ${reasonOf(error)}`);
  }
}

/** Why a command of the CLI failed: what it printed, or that it took too long. */
export function reasonOf(error: unknown): string {
  const { killed, stderr, message } = error as { killed?: boolean; stderr?: string; message: string };
  const tooLong = killed ? `it had not ended after ${backendTimeoutMs / 1_000} s. ` : "";
  return `${tooLong}${stderr?.trim() || message}`;
}
