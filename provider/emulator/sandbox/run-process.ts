import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { cutOutput } from "./cut-output";
import type { SessionProcesses } from "./session-processes";

// What the process wrote last is read within this time after its end, even if a process that it left in the background
// keeps the pipe open.
const drainMs = 50;

/** A process to run in a session. */
export interface ProcessOrder {
  readonly commandLine: readonly string[];
  /** On this computer. */
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeLimitMs: number;
  /** For standard output and standard error each, see `cutOutput`; what is over it is dropped. */
  readonly outputLimitBytes: number;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly stdout: string;
  readonly stderr: string;
  /** 128 and the signal's number when a signal ended it, as shells say it; 124 when its time was over. */
  readonly exitCode: number;
  readonly isTimedOut: boolean;
}

/**
 * Runs a process as the leader of a group of its own and waits for its end, not for what it leaves in the background.
 *
 * @throws Error when it cannot be started
 */
export async function runProcess(
  order: ProcessOrder,
  processes: Pick<SessionProcesses, "add" | "forgetIfOver">,
): Promise<ProcessEnd> {
  const [file = "", ...args] = order.commandLine;
  const child = spawn(file, args, {
    cwd: order.workingDirectory,
    env: order.environment,
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
    collect(child.stdout, order.outputLimitBytes),
    collect(child.stderr, order.outputLimitBytes),
  ];
  let isTimedOut = false;
  const timer = setTimeout(() => {
    isTimedOut = true;
    try {
      process.kill(-group, "SIGKILL");
    } catch {
      // It has ended in this moment.
    }
  }, order.timeLimitMs);
  const closed = once(child, "close");
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  await Promise.race([closed, sleep(drainMs)]);
  processes.forgetIfOver(group);
  const exitCode = isTimedOut ? 124 : (code ?? 128 + constants.signals[signal ?? "SIGKILL"]);
  return { stdout: stdout(), stderr: stderr(), exitCode, isTimedOut };
}

// Goes on reading when there is enough: a process in the background that writes into a closed pipe would be ended by it.
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
