import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";

/** The result of a command. */
export interface ProcessResult {
  /** Exit code, or 128 plus the signal's number if a signal ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a command runs and its time limit. */
export interface ProcessBounds {
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  /** Kills the command when aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** A running command. */
export interface RunningProcess {
  /** Its result, see `runBounded`. */
  readonly result: Promise<ProcessResult>;
  /** Returns everything that it has printed so far. */
  printed(): string;
  /** Sends a signal to the command, but not to its children. */
  send(signal: NodeJS.Signals): void;
  /** Kills it with everything that it started, as CI systems finally do, and waits for its end. */
  kill(): Promise<void>;
}

/**
 * Runs a command to its end and returns its output, whatever its exit code.
 *
 * @throws Error with the output so far when the time limit is over or the signal is aborted. The command is then killed
 *   with everything that it started
 */
export async function runBounded(
  command: string,
  parameters: readonly string[],
  bounds: ProcessBounds,
): Promise<ProcessResult> {
  return startBounded(command, parameters, bounds).result;
}

/** Starts a command and returns a handle to watch it and to send it signals. */
export function startBounded(command: string, parameters: readonly string[], bounds: ProcessBounds): RunningProcess {
  const { directory, environment, timeoutMs, signal } = bounds;
  signal?.throwIfAborted();
  const child = spawn(command, parameters, { cwd: directory, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  let killedBecause: string | undefined;
  const kill = (reason: string) => {
    killedBecause = reason;
    killTree(child.pid);
  };
  const timer = setTimeout(() => kill(`did not end within ${timeoutMs} ms`), timeoutMs);
  const abort = () => kill("was stopped");
  signal?.addEventListener("abort", abort, { once: true });
  const end = async (): Promise<ProcessResult> => {
    try {
      const exitCode = await new Promise<number>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", (code, name) => resolve(code ?? 128 + (name === null ? 0 : constants.signals[name])));
      });
      if (killedBecause !== undefined) {
        throw new Error(`${[command, ...parameters].join(" ")} ${killedBecause}.\n${stdout}\n${stderr}`);
      }
      return { exitCode, stdout, stderr };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  };
  const result = end();
  // Avoids an unhandled rejection. Later readers of `result` still get the error.
  result.catch(() => {});
  return {
    result,
    printed: () => `${stdout}${stderr}`,
    send: (name) => child.kill(name),
    async kill() {
      killTree(child.pid);
      await result.catch(() => undefined);
    },
  };
}

/** Kills a process and its descendants. Pulumi's plugins have their own process groups and outlive a killed engine. */
function killTree(pid: number | undefined): void {
  if (pid === undefined) {
    return;
  }
  for (const each of [pid, ...descendantsOf(pid)]) {
    try {
      process.kill(each, "SIGKILL");
    } catch {
      // It has already ended.
    }
  }
}

/** Returns the ids of all descendants of a process. Only on Linux; elsewhere returns none. */
function descendantsOf(pid: number): number[] {
  const childrenByParent = new Map<number, number[]>();
  for (const [child, parent] of processParents()) {
    childrenByParent.set(parent, [...(childrenByParent.get(parent) ?? []), child]);
  }
  const below = (parent: number): number[] =>
    (childrenByParent.get(parent) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

function processParents(): [pid: number, parent: number][] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          const status = readFileSync(`/proc/${name}/status`, "utf8");
          return [[Number(name), Number(/^PPid:\s*(\d+)/m.exec(status)?.[1])]] as [number, number][];
        } catch {
          return [];
        }
      });
  } catch {
    return [];
  }
}
