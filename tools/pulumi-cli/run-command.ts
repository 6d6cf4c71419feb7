import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How a command is run. */
export interface RunCommandOptions {
  /** Its working directory; the current one by default. */
  directory?: string;
  /** All environment variables it gets. */
  environment: NodeJS.ProcessEnv;
  /** How long it may run, in milliseconds. Then it and all that it started is killed. */
  timeoutMs: number;
  /** Kills it, and all that it started, when aborted. */
  signal?: AbortSignal;
  /** Called with each line it writes to its standard error, as it comes. */
  onErrorLine?: (line: string) => void;
}

/** What became of a command. */
export interface CommandResult {
  /** Its exit code; `undefined` when a signal or the time limit ended it. */
  exitCode: number | undefined;
  stdout: string;
  /** Why it failed, in a few words or lines: the end of its standard error or how it ended. Empty when it succeeded. */
  failure: string;
}

const lineCountInFailure = 15;

/**
 * Runs a command to its end, with nothing on its standard input. It is the leader of its own process group, so that the time limit
 * and the abort signal end its children too. Its standard input closes when this process dies, however that happens.
 *
 * @throws Error when the command cannot be started, or the abort signal's reason when aborted.
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
  // A child that never reads its input and has ended already would otherwise raise an unhandled EPIPE.
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
    // Everything in the group has ended already.
  }
}
