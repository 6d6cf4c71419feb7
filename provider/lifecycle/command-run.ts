/**
 * Runs a command in a session exactly once, however long it takes and whatever replies are lost. The command runs detached,
 * in a directory of its own, and is polled. The scripts are in `command-run-scripts.ts`, which also says what the directory
 * holds.
 */
import type { AgbClient } from "../api/client";
import { CleanError } from "../api/errors";
import { printable } from "../api/outside-text";
import { newRunToken, type RunIdentity } from "./command-run-identity";
import { type KeptOutput, OutputTail } from "./command-run-output";
import {
  type CommandSpec,
  forgetScript,
  partPath,
  pollScript,
  prepareScript,
  runnerScript,
  scriptDirectory,
  startScript,
  stopScript,
} from "./command-run-scripts";
import { parseRunStatus, type RunEnd, type RunStatus } from "./command-run-status";
import {
  AgbToolError,
  longestContentBytes,
  runShellScript,
  type ShellResult,
  saysDiskIsFull,
  writeSessionFile,
} from "./session-shell";
import type { Clock } from "./wait";

export type { RunIdentity } from "./command-run-identity";
export { newRunIdentity, runIdentityOf } from "./command-run-identity";
export type { KeptOutput } from "./command-run-output";
export type { CommandSpec } from "./command-run-scripts";
export type { RunEnd } from "./command-run-status";

/** The name of an output. */
export type OutputName = "stdout" | "stderr";

/** How to follow a run. */
export interface FollowOptions {
  readonly clock: Clock;
  /** Called with new output, soon after the command wrote it. A character may be cut between two calls. */
  readonly onOutput?: ((name: OutputName, bytes: Buffer) => void) | undefined;
  /**
   * Called when output is left out because the command writes faster than it can be read. Without this function, every byte
   * is read as long as there is `onOutput`.
   */
  readonly onSkip?: ((name: OutputName, bytes: number) => void) | undefined;
  /** Ends the wait, not the command: see `stopCommand`. */
  readonly signal?: AbortSignal | undefined;
  /** How much of the end of each output the result holds, in bytes. Default: 1,048,576. */
  readonly keptBytes?: number | undefined;
}

/** How a command ended, and the end of what it wrote. */
export interface RunResult extends RunEnd {
  /** Random token of the run. */
  readonly token: string;
  readonly stdout: KeptOutput;
  readonly stderr: KeptOutput;
}

/** A command cannot run, or was lost. The session exists. */
export class AgbRunError extends CleanError {
  /**
   * @param problem `unusable`: the session lacks what commands need, so nothing has started. `full`: nothing can be written in
   * the session, so nothing has started. `not started`: the command did not start, as far as is known. `lost`: the directory of the run was removed while it ran, so nobody knows how it ended.
   * `silent`: the session no longer answers.
   */
  constructor(
    readonly problem: "unusable" | "full" | "not started" | "lost" | "silent",
    reason: string,
  ) {
    super(reason);
  }
}

const defaultKeptBytes = 1024 * 1024;

/** The most of each output that one poll returns. */
const pollBytes = 32 * 1024;

const firstDelayMs = 50;
/** Delay after new output, so that a command that writes all the time is not polled all the time. */
const delayAfterOutputMs = 250;
const longestDelayMs = 1_000;

/** How often to send a command. Another process that starts the same run may be writing the same files. */
const startAttempts = 5;

/** How long a runner may take to begin, in milliseconds. */
const startLimitMs = 30_000;

/** How long the tools of a session may fail while a command runs, in milliseconds. */
const silenceLimitMs = 120_000;

/** How much longer than its time limit a run may take to end, in milliseconds. Then its runner is considered dead. */
const endLimitMs = 60_000;

/**
 * Makes the directory of a run and finds out how far the run is. Starts nothing.
 *
 * @throws AgbNotFoundError when the session is gone
 * @throws AgbToolError when the image has no shell
 * @throws AgbRunError when the session lacks a program that runs need
 */
export async function prepareRun(client: AgbClient, sessionId: string, identity: RunIdentity): Promise<RunStatus> {
  const result = await runScript(client, sessionId, prepareScript(identity, newRunToken()));
  const missing = /^missing (\w+)$/m.exec(result.stdout)?.[1];
  if (missing !== undefined) {
    throw new AgbRunError("unusable", `session ${printable(sessionId)} lacks the program ${missing}`);
  }
  requireSpace(client, result);
  if (result.exitCode !== 0) {
    const reason = client.clean(result.stderr.trim()) || `exit code ${result.exitCode}`;
    if (saysDiskIsFull(reason)) {
      throw fullDisk(reason);
    }
    throw new AgbRunError("unusable", `session ${printable(sessionId)} has no place for a command: ${reason}`);
  }
  return statusIn(client, sessionId, result);
}

/**
 * Starts a run that is `ready`.
 *
 * @throws AgbRunError when the parts of the command did not arrive, or there is no space for them
 */
export async function startRun(
  client: AgbClient,
  sessionId: string,
  identity: RunIdentity,
  spec: CommandSpec,
): Promise<void> {
  const script = runnerScript(spec);
  for (let attempt = 1; attempt <= startAttempts; attempt += 1) {
    for (const [index, part] of partsOf(script, longestContentBytes).entries()) {
      await writeSessionFile(client, sessionId, partPath(identity, index), part).catch((error: unknown) => {
        throw error instanceof AgbToolError && saysDiskIsFull(error.message) ? fullDisk(error.message) : error;
      });
    }
    const start = startScript(identity, Buffer.byteLength(script));
    const result = await runScript(client, sessionId, start).catch((error: unknown) => {
      // It may have started all the same.
      throw error instanceof AgbToolError ? new AgbRunError("not started", error.message) : error;
    });
    if (result.stdout.includes("started")) {
      return;
    }
    requireSpace(client, result);
  }
  throw new AgbRunError("not started", `the command did not arrive completely in session ${printable(sessionId)}`);
}

/**
 * Waits for the end of a run that was started.
 *
 * @param timeoutSeconds the time limit that it was started with
 */
export async function followRun(
  client: AgbClient,
  sessionId: string,
  identity: RunIdentity,
  timeoutSeconds: number,
  { clock, onOutput, onSkip, signal, keptBytes = defaultKeptBytes }: FollowOptions,
): Promise<RunResult> {
  const maySkip = onOutput === undefined || onSkip !== undefined;
  const tails = { stdout: new OutputTail(keptBytes), stderr: new OutputTail(keptBytes) };
  const names = ["stdout", "stderr"] as const;
  const beganMs = clock.elapsedMs();
  let answeredMs = 0;
  for (let delayMs = firstDelayMs; ; ) {
    signal?.throwIfAborted();
    const range = (name: OutputName) => ({ offset: tails[name].offset, lengthBytes: pollBytes });
    const script = pollScript(identity, { stdout: range("stdout"), stderr: range("stderr") });
    const passedMs = clock.elapsedMs() - beganMs;
    let status: RunStatus;
    try {
      status = statusIn(client, sessionId, await runScript(client, sessionId, script));
      answeredMs = passedMs;
    } catch (error) {
      if (!(error instanceof AgbToolError)) {
        throw error;
      }
      // A session that is busy with the command may be too slow for a while.
      if (passedMs - answeredMs > silenceLimitMs) {
        throw new AgbRunError("silent", error.message);
      }
      await clock.sleep(longestDelayMs, signal);
      continue;
    }
    if (status.step === "absent") {
      const reason = `the directory of the command was removed in session ${printable(sessionId)}`;
      throw new AgbRunError("lost", reason);
    }
    let hasNew = false;
    for (const name of names) {
      const { bytes, sizeBytes } = status[name];
      tails[name].add(bytes, sizeBytes);
      if (bytes.length > 0) {
        hasNew = true;
        onOutput?.(name, bytes);
      }
      const skippedBytes = maySkip ? tails[name].skip() : 0;
      if (skippedBytes > 0) {
        onSkip?.(name, skippedBytes);
      }
    }
    const isBehind = names.some((name) => status[name].bytes.length > 0 && tails[name].behindBytes > 0);
    const end = status.end ?? (isOverdue(status, passedMs, timeoutSeconds) ? killed : undefined);
    if (end !== undefined && !isBehind) {
      return { ...end, token: status.token, stdout: tails.stdout.end(), stderr: tails.stderr.end() };
    }
    if (status.step === "ready" && passedMs > startLimitMs) {
      throw new AgbRunError("not started", `the command did not start in session ${printable(sessionId)}`);
    }
    // What is behind is read with little delay, or with none if every byte is wanted.
    if (!isBehind || (maySkip && end === undefined)) {
      delayMs = isBehind ? firstDelayMs : hasNew ? delayAfterOutputMs : delayMs;
      await clock.sleep(delayMs, signal);
      delayMs = Math.min(delayMs * 1.5, longestDelayMs);
    }
  }
}

/**
 * Ends the command of a run, and all that it started. Those that ignore the signal TERM are killed after 5 seconds. A run that
 * has not begun never begins.
 */
export async function stopCommand(client: AgbClient, sessionId: string, identity: RunIdentity): Promise<void> {
  await runScript(client, sessionId, stopScript(identity));
}

/**
 * Removes runs from a session, and ends those that still go on. Nothing can find them again.
 *
 * @param owner whose runs
 * @param kept the runs that stay. Default: none
 */
export async function forgetRuns(
  client: AgbClient,
  sessionId: string,
  owner: Pick<RunIdentity, "owner">,
  kept: readonly RunIdentity[] = [],
): Promise<void> {
  await runScript(client, sessionId, forgetScript(owner, kept));
}

const killed: RunEnd = { reason: "killed", exitCode: undefined };

/** Whether a run should have begun or ended long ago. The number of a dead runner may belong to another process. */
function isOverdue({ step }: RunStatus, passedMs: number, timeoutSeconds: number): boolean {
  return (
    (step === "starting" && passedMs > startLimitMs) ||
    (step === "running" && passedMs > timeoutSeconds * 1_000 + endLimitMs)
  );
}

/** @throws AgbRunError when a script could not write */
function requireSpace(client: AgbClient, { stdout }: ShellResult): void {
  const lack = /^lack(.*)$/m.exec(stdout)?.[1];
  if (lack !== undefined) {
    throw fullDisk(client.clean(lack.trim()) || "nothing can be written to /tmp");
  }
}

function fullDisk(reason: string): AgbRunError {
  return new AgbRunError("full", `the disk of the session is full: ${reason}`);
}

function runScript(client: AgbClient, sessionId: string, script: string): Promise<ShellResult> {
  return runShellScript(client, sessionId, { script, directory: scriptDirectory });
}

function statusIn(client: AgbClient, sessionId: string, { stdout, stderr }: ShellResult): RunStatus {
  const status = parseRunStatus(stdout);
  if (status === undefined) {
    const reason = client.clean(stderr.trim());
    throw new AgbToolError("shell", sessionId, `it returned only a part of the result${reason && `: ${reason}`}`);
  }
  return status;
}

/** Cuts a string into parts of at most so many bytes of UTF-8, between characters. */
export function partsOf(text: string, longestBytes: number): string[] {
  const bytes = Buffer.from(text);
  const parts: string[] = [];
  for (let start = 0; start < bytes.length; ) {
    let end = Math.min(start + longestBytes, bytes.length);
    // A byte that continues a character is 10xxxxxx.
    while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) {
      end -= 1;
    }
    parts.push(bytes.subarray(start, end).toString("utf8"));
    start = end;
  }
  return parts;
}
