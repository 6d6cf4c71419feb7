import { z } from "zod";
import { pulumiExitCodes } from "./exit-codes";
import type { CommandResult, PulumiRunner, RunWatch } from "./pulumi-process";
import { type CutOffRun, findCutOffRun, type NotedRun, noteRun } from "./run-note";
import { lockHolders } from "./stack-lock";
import { parseStackState, type StackState } from "./stack-state";

const listSchema = z.array(z.looseObject({ name: z.string() }));

// An update refreshes first in any case: AGB releases sessions by itself after minutes.
const withoutQuestions = ["--yes", "--skip-preview", "--refresh"];

/** The commands of the Pulumi CLI that jobs need, run without questions on stacks of one project. */
export class PulumiCli {
  /**
   * @param environment variables of the commands
   * @param command the CLI, looked for on the PATH of `environment`
   */
  constructor(
    private readonly runner: PulumiRunner,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly command = "pulumi",
  ) {}

  /** Makes a stack, unless it is there. @param secretsProvider what a new stack's secrets are encrypted with */
  async createStack(stack: string, secretsProvider?: string): Promise<void> {
    await this.succeed("stack", "select", "--create", stack, ...option("--secrets-provider", secretsProvider));
  }

  /** Brings a stack to what the program declares, with these values in its configuration, and shows the progress. */
  update(stack: string, config: Readonly<Record<string, string>>): Promise<CommandResult> {
    const values = Object.entries(config).flatMap(([key, value]) => ["--config", `${key}=${value}`]);
    return this.change(stack, "up", "--stack", stack, ...withoutQuestions, ...values);
  }

  /** Deletes all resources of a stack, then the stack, and shows the progress. */
  destroy(stack: string): Promise<CommandResult> {
    return this.change(stack, "destroy", "--stack", stack, ...withoutQuestions, "--remove");
  }

  /**
   * Compares what runs with what the program declares, changing neither: exit code 7 when they differ. What is different is
   * in the output, and is not shown.
   */
  compare(stack: string): Promise<CommandResult> {
    const quietly = ["--diff", "--color", "never", "--suppress-progress"];
    return this.hold("preview", "--stack", stack, "--refresh", "--expect-no-changes", ...quietly);
  }

  /** The run of `update` or `destroy` on a stack that was cut off in this folder; `undefined` when none was. */
  async findCutOffRun(stack: string): Promise<CutOffRun | undefined> {
    return findCutOffRun(this.runner.directory, stack);
  }

  /**
   * Finds out who holds a stack's lock: renames the stack to the name that it has. That needs the lock, always fails and
   * changes nothing. The error says who holds the lock, see `lockHolders`.
   */
  tryLock(stack: string): Promise<CommandResult> {
    return this.hold("stack", "rename", stack, "--stack", stack);
  }

  /** Takes a stack's lock away from whoever holds it. */
  cancel(stack: string): Promise<CommandResult> {
    return this.hold("cancel", "--stack", stack, "--yes");
  }

  /**
   * Reads the state of a stack.
   *
   * @returns `undefined` when there is no such stack
   * @throws Error when the state cannot be read
   */
  async exportState(stack: string): Promise<StackState | undefined> {
    const parameters = ["stack", "export", "--stack", stack];
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
      throw new Error(`The state of ${stack} cannot be used: ${error instanceof Error ? error.message : error}`);
    }
  }

  /**
   * Lists the project's stacks.
   *
   * @param organization asks for those of one organization; backends without organizations list all
   */
  async listStacks(organization?: string): Promise<string[]> {
    const text = await this.succeed("stack", "ls", "--json", ...option("--organization", organization));
    return listSchema.parse(JSON.parse(text)).map(({ name }) => name);
  }

  private async succeed(...parameters: string[]): Promise<string> {
    const result = await this.hold(...parameters);
    if (result.exitCode !== pulumiExitCodes.success) {
      throw failure(parameters, result);
    }
    return result.stdout;
  }

  private hold(...parameters: string[]): Promise<CommandResult> {
    return found(this.runner.hold(this.command, [...parameters, "--non-interactive"], this.environment));
  }

  private change(stack: string, ...parameters: string[]): Promise<CommandResult> {
    let run: NotedRun | undefined;
    const watch: RunWatch = {
      started: (pid) => {
        run = noteRun(this.runner.directory, stack, pid);
      },
      askedToEnd: () => run?.askedToEnd(),
      over: () => run?.over(),
      // That the stack is locked is for the caller to tell, who may wait and try many times.
      printedError: (text) => lockHolders(text).length === 0 && process.stderr.write(text),
    };
    return found(this.runner.show(this.command, [...parameters, "--non-interactive"], this.environment, watch));
  }
}

/** Tells whether a command failed because its stack does not exist. */
export function isStackMissing({ exitCode, stderr }: CommandResult): boolean {
  // Older versions of the CLI have one exit code for all failures.
  return exitCode === pulumiExitCodes.stackMissing || (exitCode !== 0 && /no stack named '.*' found/.test(stderr));
}

function option(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value];
}

function failure(parameters: readonly string[], { exitCode, stderr }: CommandResult): Error {
  return new Error(`\`pulumi ${parameters.join(" ")}\` failed with exit code ${exitCode}.\n${stderr}`.trim());
}

async function found<Result>(running: Promise<Result>): Promise<Result> {
  try {
    return await running;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") {
      throw new Error("The Pulumi CLI was not found; put `pulumi` on the PATH.");
    }
    throw error;
  }
}
