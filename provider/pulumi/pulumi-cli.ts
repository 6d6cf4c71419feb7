import type { CommandResult, PulumiRunner, RunWatch } from "./pulumi-process";
import { explainMissingCli, option, PulumiReader } from "./pulumi-reader";
import { type CutOffRun, findCutOffRun, type NotedRun, noteRun } from "./run-note";
import { lockHolders } from "./stack-lock";

// An update always refreshes first: AGB releases sessions on its own after minutes.
const withoutQuestions = ["--yes", "--skip-preview", "--refresh"];

/** The commands of the Pulumi CLI that jobs need, run without questions on stacks of one project. */
export class PulumiCli extends PulumiReader {
  /**
   * @param environment variables of the commands
   * @param command the CLI, looked for on the PATH of `environment`
   */
  constructor(
    private readonly runner: PulumiRunner,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly command = "pulumi",
  ) {
    super((parameters) => runner.hold(command, parameters, environment));
  }

  /** Creates a stack, unless it exists. @param secretsProvider what encrypts a new stack's secrets */
  async createStack(stack: string, secretsProvider?: string): Promise<void> {
    await this.succeed("stack", "select", "--create", stack, ...option("--secrets-provider", secretsProvider));
  }

  /**
   * Brings a stack to what the program declares, with these values in its configuration, and shows the progress.
   *
   * @param replaced URNs of resources to replace although nothing about them has changed
   */
  update(
    stack: string,
    config: Readonly<Record<string, string>>,
    replaced: readonly string[] = [],
  ): Promise<CommandResult> {
    const values = Object.entries(config).flatMap(([key, value]) => ["--config", `${key}=${value}`]);
    const replacements = replaced.flatMap((urn) => ["--replace", urn]);
    return this.change(stack, "up", "--stack", stack, ...withoutQuestions, ...values, ...replacements);
  }

  /** Deletes all resources of a stack, then the stack, and shows the progress. */
  destroy(stack: string): Promise<CommandResult> {
    return this.change(stack, "destroy", "--stack", stack, ...withoutQuestions, "--remove");
  }

  /**
   * Compares what runs with what the program declares, and changes neither. The exit code is 7 when they differ. The
   * output then holds the differences, and is not shown.
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
   * Finds out who holds a stack's lock by renaming the stack to its own name. That needs the lock, always fails and changes
   * nothing. The error says who holds the lock, see `lockHolders`.
   */
  tryLock(stack: string): Promise<CommandResult> {
    return this.hold("stack", "rename", stack, "--stack", stack);
  }

  /** Takes a stack's lock away from its holder. */
  cancel(stack: string): Promise<CommandResult> {
    return this.hold("cancel", "--stack", stack, "--yes");
  }

  private change(stack: string, ...parameters: string[]): Promise<CommandResult> {
    let run: NotedRun | undefined;
    const watch: RunWatch = {
      started: (pid) => {
        run = noteRun(this.runner.directory, stack, pid);
      },
      askedToEnd: () => run?.askedToEnd(),
      over: () => run?.over(),
      // The caller reports that the stack is locked: it may wait and try many times.
      printedError: (text) => lockHolders(text).length === 0 && process.stderr.write(text),
    };
    const all = [...parameters, "--non-interactive"];
    return explainMissingCli(this.runner.show(this.command, all, this.environment, watch));
  }
}
