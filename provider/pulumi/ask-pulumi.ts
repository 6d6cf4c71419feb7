import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CodedError } from "../messages/coded-error";
import type { CommandResult } from "./pulumi-process";
import type { RunPulumi } from "./pulumi-reader";
import { withOutput } from "./with-output";

const run = promisify(execFile);

const defaultTimeoutMs = 120_000;
const largestOutputBytes = 512 * 1024 * 1024;

/**
 * Runs commands of the Pulumi CLI that only read. A signal to this process ends it
 * immediately; for commands that change a stack there is `PulumiRunner`.
 *
 * @param environment variables of the commands
 * @param timeoutMs how long each may take, in milliseconds. @default two minutes
 */
export function askPulumi(environment: NodeJS.ProcessEnv, timeoutMs = defaultTimeoutMs): RunPulumi {
  const bounds = { env: environment, maxBuffer: largestOutputBytes, timeout: timeoutMs };
  return async (parameters): Promise<CommandResult> => {
    try {
      return { exitCode: 0, ...(await run("pulumi", parameters, bounds)) };
    } catch (error) {
      const {
        code,
        killed,
        stdout = "",
        stderr = "",
      } = error as Partial<CommandResult> & {
        readonly code?: unknown;
        readonly killed?: boolean;
      };
      if (typeof code === "number") {
        return { exitCode: code, stdout, stderr };
      }
      if (killed && code === null) {
        throw new CodedError(
          withOutput(
            `\`pulumi ${parameters.join(" ")}\` did not end within ${timeoutMs / 1_000} seconds`,
            stderr,
            "Check the connection to Pulumi's backend, then run this again.",
          ),
          "AGB604",
        );
      }
      throw error;
    }
  };
}
