// The Pulumi CLI as a child process. This folder knows the CLI's commands, exit codes, messages and state. It imports no
// other layer.

import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as sleepFor } from "node:timers/promises";
import { CodedError } from "../messages/coded-error";
import { StopRequests, stopSignals } from "./stop-requests";
import { describeFailedCommand } from "./with-output";

const parentCheckIntervalMs = 250;

/** The result of a command. */
export interface CommandResult {
  /** Exit code; 128 and the signal's number when a signal ended it. */
  readonly exitCode: number;
  /** What it printed, unless that was shown. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Callbacks for a command while it runs. */
export interface RunWatch {
  /** It printed something on standard error. */
  readonly printedError: (text: string) => void;
  /** It has started. */
  readonly started?: (pid: number) => void;
  /** A request to stop reached it. */
  readonly askedToEnd?: () => void;
  /** It has ended, and nothing killed it. */
  readonly over?: () => void;
}

/** Runs Pulumi commands one after the other. Lets them finish their current step when this process is asked to stop. */
export class PulumiRunner {
  // At a terminal Pulumi stays in the terminal's process group, or it could not ask the user anything. Elsewhere it
  // gets a group of its own. A signal to the whole group then reaches it only once, through this process.
  readonly #sharesGroup = process.stdin.isTTY === true || process.platform === "win32";
  readonly #requests = new StopRequests(this.#sharesGroup);
  #running: ChildProcess | undefined;
  #watch: RunWatch | undefined;

  /** Aborted by the first request to stop. Anything that waits, except for Pulumi, then gives up. */
  get signal(): AbortSignal {
    return this.#requests.signal;
  }

  /**
   * Takes over this process's signals: they no longer end it immediately.
   *
   * @param directory folder of the Pulumi project, in which all commands run
   */
  constructor(readonly directory: string) {
    for (const name of stopSignals) {
      process.on(name, () => this.#receive(name));
    }
    // npm passes SIGTERM on to its shell. The shell ends and does not signal this process.
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid !== parent) {
        clearInterval(watch);
        this.#receive("SIGTERM");
      }
    }, parentCheckIntervalMs);
    watch.unref();
  }

  /**
   * Runs `pulumi` in the project's folder with this process's standard streams.
   *
   * @returns its exit code; 128 and the signal's number when a signal ended it
   * @throws StoppedError when this process had already been asked to stop
   */
  async run(command: string, parameters: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
    return (await this.#spawn(command, parameters, environment, "inherit", "inherit")).exitCode;
  }

  /**
   * Runs `pulumi` in the project's folder and returns what it prints on standard output.
   *
   * @throws Error with its standard error when it fails, StoppedError when this process was asked to stop
   */
  async capture(command: string, parameters: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
    const result = await this.hold(command, parameters, environment);
    if (result.exitCode !== 0) {
      throw new CodedError(describeFailedCommand(parameters, result.exitCode, result.stderr), "AGB603");
    }
    return result.stdout;
  }

  /**
   * Runs `pulumi` and holds back all its output. The caller looks at the exit code.
   *
   * @throws StoppedError when this process was asked to stop
   */
  async hold(command: string, parameters: readonly string[], environment: NodeJS.ProcessEnv): Promise<CommandResult> {
    const result = await this.#spawn(command, parameters, environment, "pipe", "pipe");
    this.signal.throwIfAborted();
    return result;
  }

  /**
   * Runs `pulumi`, shows its standard output and holds back its errors. The caller looks at the exit code, also when
   * this process was asked to stop during the run.
   *
   * @throws StoppedError when this process had already been asked to stop
   */
  show(
    command: string,
    parameters: readonly string[],
    environment: NodeJS.ProcessEnv,
    watch: RunWatch,
  ): Promise<CommandResult> {
    return this.#spawn(command, parameters, environment, "inherit", "pipe", watch);
  }

  /** Waits. @throws StoppedError when this process is asked to stop, before or during the wait */
  async pause(milliseconds: number): Promise<void> {
    this.signal.throwIfAborted();
    await sleepFor(milliseconds, undefined, { signal: this.signal }).catch((error: unknown) => {
      this.signal.throwIfAborted();
      throw error;
    });
  }

  #receive(name: (typeof stopSignals)[number]): void {
    const toPassOn = this.#requests.receive(name);
    if (toPassOn !== undefined) {
      this.#running?.kill(toPassOn);
    }
    this.#watch?.askedToEnd?.();
  }

  async #spawn(
    command: string,
    parameters: readonly string[],
    environment: NodeJS.ProcessEnv,
    output: "inherit" | "pipe",
    errors: "inherit" | "pipe",
    watch?: RunWatch,
  ): Promise<CommandResult> {
    this.signal.throwIfAborted();
    const child = spawn(command, parameters, {
      cwd: this.directory,
      env: environment,
      detached: !this.#sharesGroup,
      stdio: [errors === "inherit" ? "inherit" : "ignore", output, errors],
    });
    this.#running = child;
    this.#watch = watch;
    if (child.pid !== undefined) {
      watch?.started?.(child.pid);
    }
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      watch?.printedError(text);
    });
    let wasKilled = false;
    try {
      const exitCode = await new Promise<number>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code, signal) => {
          wasKilled = signal !== null;
          resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
        });
      });
      return { exitCode, stdout, stderr };
    } finally {
      this.#running = undefined;
      this.#watch = undefined;
      // A killed Pulumi leaves its lock, and perhaps sessions that are not in the state.
      if (!wasKilled) {
        watch?.over?.();
      }
    }
  }
}
