import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { cutOutput } from "./cut-output";
import type { SessionProcesses } from "./session-processes";

// How long the last output is read after the process has ended, in case a process in the background keeps the pipe open.
const drainMs = 50;

/** A process to run in a session. */
export interface ProcessOptions {
  readonly commandLine: readonly string[];
  /** On this computer. */
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeLimitMs: number;
  /** For standard output and standard error each, see `cutOutput`. The rest is dropped. */
  readonly outputLimitBytes: number;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly stdout: string;
  readonly stderr: string;
  /** 128 plus the signal's number if a signal ended it, as in shells; 124 if it timed out. */
  readonly exitCode: number;
  readonly isTimedOut: boolean;
}

/**
 * Runs a process as the leader of a new process group. Waits for its end, but not for what it leaves in the background.
 *
 * @throws Error when it cannot be started
 */
export async function runProcess(
  options: ProcessOptions,
  processes: Pick<SessionProcesses, "add" | "forgetIfOver">,
): Promise<ProcessEnd> {
  const [file = "", ...args] = options.commandLine;
  const child = spawn(file, args, {
    cwd: options.workingDirectory,
    env: options.environment,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const group = child.pid;
  if (group === undefined) {
    const [error] = await once(child, "error");
    throw error;
  }
  processes.add(group);
  child.on("error", () => {});
  const [stdout, stderr] = [
    collect(child.stdout, options.outputLimitBytes),
    collect(child.stderr, options.outputLimitBytes),
  ];
  let isTimedOut = false;
  const timer = setTimeout(() => {
    isTimedOut = true;
    try {
      process.kill(-group, "SIGKILL");
    } catch {
      // It has ended just now.
    }
  }, options.timeLimitMs);
  const closed = once(child, "close");
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  await Promise.race([closed, sleep(drainMs)]);
  processes.forgetIfOver(group);
  const exitCode = isTimedOut ? 124 : (code ?? 128 + constants.signals[signal ?? "SIGKILL"]);
  return { stdout: stdout(), stderr: stderr(), exitCode, isTimedOut };
}

// Keeps reading beyond the limit: a closed pipe would end a process in the background that writes to it.
function collect(stream: Readable, limitBytes: number): () => string {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => {
    if (sizeBytes < limitBytes) {
      chunks.push(chunk.subarray(0, limitBytes - sizeBytes));
    }
    sizeBytes += chunk.length;
  });
  return () => {
    (stream as unknown as { unref?(): void }).unref?.();
    return cutOutput(Buffer.concat(chunks), sizeBytes, limitBytes);
  };
}
