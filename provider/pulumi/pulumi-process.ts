// The Pulumi CLI as a child process. This folder knows the CLI's commands, exit codes, messages and state, and imports
// nothing of the other layers.

import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as sleepFor } from "node:timers/promises";
import { StopRequests, stopSignals } from "./stop-requests";

const parentCheckIntervalMs = 250;

/** What became of a command. */
export interface CommandResult {
  /** Exit code; 128 and the signal's number when a signal ended it. */
  readonly exitCode: number;
  /** What it printed, as far as it was not shown. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Is told of a command while it runs. */
export interface RunWatch {
  /** A piece of what it printed as its errors. */
  readonly printedError: (text: string) => void;
  /** It runs. */
  readonly started?: (pid: number) => void;
  /** A request to stop reached it. */
  readonly askedToEnd?: () => void;
  /** It runs no more. */
  readonly over?: () => void;
}

/** Runs Pulumi commands one after the other and lets them end in order when this process is asked to stop. */
export class PulumiRunner {
  // At a terminal Pulumi stays in the terminal's process group, or it could not ask the user anything. Elsewhere it gets a
  // group of its own, so that a signal to the whole group reaches it through this process only, once.
  readonly #sharesGroup = process.stdin.isTTY === true || process.platform === "win32";
  readonly #requests = new StopRequests(this.#sharesGroup);
  #running: ChildProcess | undefined;
  #watch: RunWatch | undefined;

  /** Aborted by the first request to stop. Whoever waits for anything but Pulumi gives up then. */
  get signal(): AbortSignal {
    return this.#requests.signal;
  }

  /**
   * From now on signals no longer end this process at once.
   *
   * @param directory folder of the Pulumi project, in which all commands run
   */
  constructor(readonly directory: string) {
    for (const name of stopSignals) {
      process.on(name, () => this.#receive(name));
    }
    // npm passes SIGTERM on to its shell, which ends and leaves this process alone.
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
   * Runs `pulumi` in the project's folder with this process's standard streams and returns its exit code; 128 and the signal's number when a
   * signal ended it.
   *
   * @throws StoppedError when this process had been asked to stop before
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
      throw new Error(
        `\`pulumi ${parameters.join(" ")}\` failed with exit code ${result.exitCode}.\n${result.stderr}`.trim(),
      );
    }
    return result.stdout;
  }

  /**
   * Runs `pulumi` and holds back all that it prints; its exit code is the caller's to judge.
   *
   * @throws StoppedError when this process was asked to stop
   */
  async hold(command: string, parameters: readonly string[], environment: NodeJS.ProcessEnv): Promise<CommandResult> {
    const result = await this.#spawn(command, parameters, environment, "pipe", "pipe");
    this.signal.throwIfAborted();
    return result;
  }

  /**
   * Runs `pulumi`, shows what it prints on standard output and holds back its errors. Its exit code is the caller's to
   * judge, also when this process was asked to stop meanwhile.
   *
   * @throws StoppedError when this process had been asked to stop before
   */
  show(
    command: string,
    parameters: readonly string[],
    environment: NodeJS.ProcessEnv,
    watch: RunWatch,
  ): Promise<CommandResult> {
    return this.#spawn(command, parameters, environment, "inherit", "pipe", watch);
  }

  /** Waits. @throws StoppedError when this process was or is asked to stop */
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
      // A killed Pulumi left its lock, and perhaps sessions that it had not written down.
      if (!wasKilled) {
        watch?.over?.();
      }
    }
  }
}
