import { z } from "zod";
import { CodedError } from "../messages/coded-error";
import { pulumiExitCodes } from "./exit-codes";
import type { CommandResult } from "./pulumi-process";
import { exportAdvice, parseStackState, type StackState } from "./stack-state";
import { describeFailedCommand } from "./with-output";

const listSchema = z.array(z.looseObject({ name: z.string() }));
const configSchema = z.record(z.string(), z.looseObject({ value: z.string().optional() }));

/** Runs one command of the Pulumi CLI and holds back its output. The caller looks at the exit code. */
export type RunPulumi = (parameters: readonly string[]) => Promise<CommandResult>;

/** Reads stacks through the Pulumi CLI. Changes nothing and never asks the user. */
export class PulumiReader {
  constructor(private readonly runPulumi: RunPulumi) {}

  /**
   * Reads the state of a stack.
   *
   * @param stack name of the stack; the selected one when absent
   * @returns `undefined` when there is no such stack
   * @throws Error when the state cannot be read
   */
  async exportState(stack?: string): Promise<StackState | undefined> {
    const parameters = ["stack", "export", ...option("--stack", stack)];
    const result = await this.hold(...parameters);
    if (isStackMissing(result)) {
      return undefined;
    }
    if (result.exitCode !== pulumiExitCodes.success) {
      throw failure(parameters, result);
    }
    try {
      return parseStackState(result.stdout);
    } catch (error) {
      const name = stack === undefined ? "the selected stack" : stack;
      const reason = error instanceof Error ? error.message : error;
      throw new CodedError(`Cannot read the state of ${name}: ${reason}. ${exportAdvice}`, "AGB606");
    }
  }

  /**
   * Lists the project's stacks.
   *
   * @param organization lists only those of one organization; backends without organizations list all
   */
  async listStacks(organization?: string): Promise<string[]> {
    const text = await this.succeed("stack", "ls", "--json", ...option("--organization", organization));
    return listSchema.parse(JSON.parse(text)).map(({ name }) => name);
  }

  /**
   * Reads the configuration of a stack, secrets decrypted.
   *
   * @param stack name of the stack; the selected one when absent
   * @returns gives the value of a key such as `agb:endpoint`
   * @throws Error when the CLI fails, as it does outside a project's folder
   */
  async readConfig(stack?: string): Promise<(key: string) => string | undefined> {
    const text = await this.succeed("config", "--json", "--show-secrets", ...option("--stack", stack));
    const config = configSchema.parse(JSON.parse(text));
    return (key) => config[key]?.value;
  }

  /** Name of the selected stack, without its organization; `undefined` when none is selected. */
  async readSelectedStack(): Promise<string | undefined> {
    const { exitCode, stdout } = await this.hold("stack", "--show-name");
    return exitCode === pulumiExitCodes.success ? stdout.trim().split("/").at(-1) || undefined : undefined;
  }

  /** Runs a command. @returns what it printed @throws Error when it fails */
  protected async succeed(...parameters: string[]): Promise<string> {
    const result = await this.hold(...parameters);
    if (result.exitCode !== pulumiExitCodes.success) {
      throw failure(parameters, result);
    }
    return result.stdout;
  }

  /** Runs a command without questions. The caller looks at the exit code. */
  protected hold(...parameters: string[]): Promise<CommandResult> {
    return explainMissingCli(this.runPulumi([...parameters, "--non-interactive"]));
  }
}

/** Tells whether a command failed because its stack does not exist. */
export function isStackMissing({ exitCode, stderr }: CommandResult): boolean {
  // Older versions of the CLI have one exit code for all failures.
  return exitCode === pulumiExitCodes.stackMissing || (exitCode !== 0 && /no stack named '.*' found/.test(stderr));
}

/** An option of a command, left out when it has no value. */
export function option(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}

/** Waits for a command. @throws CodedError that says so when the CLI was not found */
export async function explainMissingCli<Result>(running: Promise<Result>): Promise<Result> {
  try {
    return await running;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") {
      throw new CodedError("The Pulumi CLI was not found. Install it, and put `pulumi` on the PATH.", "AGB602");
    }
    throw error;
  }
}

function failure(parameters: readonly string[], { exitCode, stderr }: CommandResult): Error {
  return new CodedError(describeFailedCommand(parameters, exitCode, stderr), "AGB603");
}
