import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How to run a command. */
export interface RunCommandOptions {
  /** Its working directory. Default: the current one. */
  directory?: string;
  /** All of its environment variables. */
  environment: NodeJS.ProcessEnv;
  /** How long it may run, in milliseconds. After that it is killed with everything that it started. */
  timeoutMs: number;
  /** When aborted, kills it with everything that it started. */
  signal?: AbortSignal;
  /** Called with each line of its standard error as it arrives. */
  onErrorLine?: (line: string) => void;
}

/** The result of a command. */
export interface CommandResult {
  /** Its exit code; `undefined` if a signal or the time limit ended it. */
  exitCode: number | undefined;
  stdout: string;
  /** Why it failed: the last lines of its standard error, or how it ended. Empty if it succeeded. */
  failure: string;
}

const lineCountInFailure = 15;

/**
 * Runs a command and waits for its end. It leads its own process group, so the time limit and the abort signal also end its
 * children. Nothing is written to its standard input, which closes when this process dies for any reason.
 *
 * @throws Error when the command cannot be started, or the abort signal's reason when aborted
 */
export async function runCommand(
  command: string,
  parameters: readonly string[],
  options: RunCommandOptions,
): Promise<CommandResult> {
  options.signal?.throwIfAborted();
  const child = spawn(command, parameters, {
    env: options.environment,
    detached: process.platform !== "win32",
    windowsHide: true,
    stdio: "pipe",
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, options.timeoutMs);
  const abort = () => killGroup(child);
  options.signal?.addEventListener("abort", abort);

  const lastErrorLines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    lastErrorLines.push(line);
    if (lastErrorLines.length > lineCountInFailure) {
      lastErrorLines.shift();
    }
    options.onErrorLine?.(line);
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  // Without this, a child that has ended without reading its input would raise an unhandled EPIPE.
  child.stdin.on("error", () => {});

  try {
    const ending = await waitForEnd(child);
    options.signal?.throwIfAborted();
    if (timedOut) {
      return { exitCode: undefined, stdout, failure: `not finished after ${options.timeoutMs / 1000} s` };
    }
    return {
      exitCode: ending.exitCode,
      stdout,
      failure: ending.exitCode === 0 ? "" : lastErrorLines.join("\n").trim() || ending.text,
    };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
  }
}

function waitForEnd(child: ChildProcess): Promise<{ exitCode: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve({
        exitCode: code ?? undefined,
        text: signal === null ? `exit code ${code}` : `ended by ${signal}`,
      }),
    );
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) {
    return;
  }
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // The whole group has already ended.
  }
}
