// A note in the project's folder while a Pulumi command changes a stack. A note that is still there after the run says
// that the run was cut off in this folder, and which process it was.

import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleepFor } from "node:timers/promises";
import { z } from "zod";
import { isProcessAlive, startTimeOf } from "./process-facts";

const noteSchema = z.object({
  stack: z.string(),
  // 0, 1 and negative numbers would signal other processes.
  pid: z.int().min(2),
  startTime: z.string().optional(),
  isAskedToEnd: z.boolean(),
});
type Note = z.output<typeof noteSchema>;

const pollIntervalMs = 100;
const killWaitMs = 5_000;

/** How long a run that was cut off has to finish its current step by default, in milliseconds. */
export const defaultEndWaitMs = 30_000;

/** How a Pulumi whose run was cut off ended: before it was asked, when it was asked, or because it was killed. */
export type EndOfRun = "had ended" | "ended" | "was killed" | "cannot be ended";

/** A run of Pulumi that was cut off in this folder. */
export interface CutOffRun {
  readonly pid: number;
  /** Ends it: asks it to stop, unless it was asked before, waits, and finally kills it. */
  end(waitMs?: number): Promise<EndOfRun>;
  /** Removes the note of the run. */
  forget(): void;
}

/** A run of Pulumi with a note. */
export interface NotedRun {
  /** Notes that Pulumi was asked to end. Asked a second time, it would drop everything. */
  readonly askedToEnd: () => void;
  /** Removes the note. */
  readonly over: () => void;
}

/** Writes the note of a Pulumi that has just started on a stack. */
export function noteRun(directory: string, stack: string, pid: number): NotedRun {
  const path = notePath(directory, stack);
  const earlier = readNote(path, stack);
  if (earlier !== undefined && isRunning(earlier)) {
    // The earlier run holds the stack, so Pulumi will refuse this one.
    return { askedToEnd: () => {}, over: () => {} };
  }
  const startTime = startTimeOf(pid);
  const note: Note = { stack, pid, isAskedToEnd: false, ...(startTime !== undefined && { startTime }) };
  tryToWriteNote(path, note);
  return {
    askedToEnd: () => tryToWriteNote(path, { ...note, isAskedToEnd: true }),
    over: () => forgetNote(path, note),
  };
}

/** The run on a stack that was cut off in this folder; `undefined` when none was. */
export function findCutOffRun(directory: string, stack: string): CutOffRun | undefined {
  const path = notePath(directory, stack);
  const note = readNote(path, stack);
  if (note === undefined) {
    return undefined;
  }
  return {
    pid: note.pid,
    end: (waitMs = defaultEndWaitMs) => endRun(note, waitMs),
    forget: () => forgetNote(path, note),
  };
}

async function endRun(note: Note, waitMs: number): Promise<EndOfRun> {
  if (!isRunning(note)) {
    return "had ended";
  }
  // Where the system does not say when a process started, another one may have this id now.
  if (note.startTime === undefined) {
    return (await hasEnded(note, waitMs)) ? "ended" : "cannot be ended";
  }
  if (!note.isAskedToEnd) {
    signal(note, "SIGINT");
  }
  if (await hasEnded(note, waitMs)) {
    return "ended";
  }
  signal(note, "SIGKILL");
  return (await hasEnded(note, killWaitMs)) ? "was killed" : "cannot be ended";
}

async function hasEnded(note: Note, waitMs: number): Promise<boolean> {
  for (let leftMs = waitMs; isRunning(note); leftMs -= pollIntervalMs) {
    if (leftMs <= 0) {
      return false;
    }
    await sleepFor(pollIntervalMs);
  }
  return true;
}

function signal({ pid }: Note, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile, or this process may not end it. The caller sees which: it waits for the end.
  }
}

function isRunning({ pid, startTime }: Note): boolean {
  return isProcessAlive(pid) && (startTime === undefined || startTimeOf(pid) === startTime);
}

function notePath(directory: string, stack: string): string {
  return join(directory, `.pulumi-agb-run-${stack.replaceAll(/[^\w.-]/g, "-")}.json`);
}

function readNote(path: string, stack: string): Note | undefined {
  try {
    const { success, data } = noteSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
    return success && data.stack === stack ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Without a note nothing can be recovered. A Pulumi that is already running must go on all the same. */
function tryToWriteNote(path: string, note: Note): void {
  try {
    writeNote(path, note);
  } catch {
    // For example, the folder may be read-only.
  }
}

/** Writes the whole note or nothing, and never through a link that someone put there. */
function writeNote(path: string, note: Note): void {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, `${JSON.stringify(note)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(draft, path);
}

function forgetNote(path: string, { stack, pid }: Note): void {
  if (readNote(path, stack)?.pid === pid) {
    rmSync(path, { force: true });
  }
}
