import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { projectDirectory } from "../pulumi-cli/pinned-version";
import { StopRequests, stopSignals } from "./stop-requests";

const parentCheckIntervalMs = 250;

/** Runs Pulumi commands one after the other and lets them end in order when this process is asked to stop. */
export class PulumiRunner {
  // At a terminal Pulumi stays in the terminal's process group, or it could not ask the user anything. Elsewhere it gets a
  // group of its own, so that a signal to the whole group reaches it through this process only, once.
  readonly #sharesGroup = process.stdin.isTTY === true || process.platform === "win32";
  readonly #requests = new StopRequests(this.#sharesGroup);
  #running: ChildProcess | undefined;

  /** Aborted by the first request to stop. Whoever waits for anything but Pulumi gives up then. */
  get signal(): AbortSignal {
    return this.#requests.signal;
  }

  /** From now on signals no longer end this process at once. */
  constructor() {
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
    return (await this.#spawn(command, parameters, environment, "inherit")).exitCode;
  }

  /**
   * Runs `pulumi` in the project's folder and returns what it prints on standard output.
   *
   * @throws Error with its standard error when it fails, StoppedError when this process was asked to stop
   */
  async capture(command: string, parameters: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
    const result = await this.#spawn(command, parameters, environment, "pipe");
    this.signal.throwIfAborted();
    if (result.exitCode !== 0) {
      throw new Error(
        `\`pulumi ${parameters.join(" ")}\` failed with exit code ${result.exitCode}.\n${result.stderr}`.trim(),
      );
    }
    return result.stdout;
  }

  #receive(name: (typeof stopSignals)[number]): void {
    const toPassOn = this.#requests.receive(name);
    if (toPassOn !== undefined) {
      this.#running?.kill(toPassOn);
    }
  }

  async #spawn(
    command: string,
    parameters: readonly string[],
    environment: NodeJS.ProcessEnv,
    output: "inherit" | "pipe",
  ): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    this.signal.throwIfAborted();
    const child = spawn(command, parameters, {
      cwd: projectDirectory,
      env: environment,
      detached: !this.#sharesGroup,
      stdio: [output === "inherit" ? "inherit" : "ignore", output, output],
    });
    this.#running = child;
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    try {
      const exitCode = await new Promise<number>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
      });
      return { exitCode, stdout, stderr };
    } finally {
      this.#running = undefined;
    }
  }
}
