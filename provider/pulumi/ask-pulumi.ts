import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How long a look into a backend may take, in milliseconds. */
const timeoutMs = 120_000;
const largestAnswerBytes = 512 * 1024 * 1024;

/**
 * Asks the Pulumi CLI something and returns what it prints.
 *
 * @throws Error that says why there is no answer: what the CLI printed, or that it took longer than two minutes
 */
export async function askPulumi(parameters: readonly string[]): Promise<string> {
  try {
    return (await run("pulumi", parameters, { maxBuffer: largestAnswerBytes, timeout: timeoutMs })).stdout;
  } catch (error) {
    const { killed, stderr, message } = error as { killed?: boolean; stderr?: string; message: string };
    const tooLong = killed ? `it had not ended after ${timeoutMs / 1_000} s. ` : "";
    throw new Error(`${tooLong}${stderr?.trim() || message}`);
  }
}

/** Names a stack in a command; without a name it is the selected one. */
export function stackOption(stack: string | undefined): string[] {
  return stack === undefined ? [] : ["--stack", stack];
}
