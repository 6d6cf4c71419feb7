// Keeps the store's state in a file: a log to which changes are added, and which is replaced by a shorter one when it has
// grown. A change is acknowledged only after it is on disk, so a process that is killed at any moment leaves either the
// state before the change or the one after it.

import { constants, mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { isLabels, type Labels } from "./labels";
import { EmulatorStartError } from "./start-error";
import { lockStateFile } from "./state-lock";
import { type Logged, readCommits, writeCommit, writeWhole } from "./state-log";
import type { StoredState } from "./store";

const format = "agb-emulator-state";
const version = 2;
// Before the log, the file held the whole state as one JSON object.
const wholeStateVersion = 1;
// Written again and again, a file of thousands of sessions would cost more than all the rest of the emulator.
const defaultReplaceAfterBytes = 4 * 1024 * 1024;

const time = z.number();

const sessionSchema = z.object({
  sessionId: z.string(),
  sequence: z.int(),
  imageId: z.string(),
  policyId: z.string().optional(),
  labels: z.custom<Labels>(isLabels),
  mounts: z.array(z.object({ contextId: z.string(), path: z.string(), policy: z.string().optional() })).optional(),
  appInstanceId: z.string(),
  resourceId: z.string(),
  idleTimeoutSeconds: z.number(),
  maximumLifetimeSeconds: z.number(),
  createdAtMs: time,
  lastActivityAtMs: time,
  releasedAtMs: time.optional(),
});

const stateSchema = z.object({
  nextSequence: z.int(),
  emulatorId: z
    .string()
    .regex(/^[a-z0-9]{1,40}$/)
    .optional(),
  clockOffsetMs: z.number().min(0).optional(),
  sessions: z.array(sessionSchema),
});

/** The state file of one running emulator, locked against a second one. */
export class StateFile {
  readonly path: string;
  readonly #unlock: () => void;
  #writing: Promise<void> = Promise.resolve();
  #nextWrite: Promise<void> | undefined;
  #closed = false;
  /** What the file holds; undefined when that is not known, so that it must be written anew. */
  #logged: Logged | undefined;
  #sizeBytes = 0;
  #addedBytes = 0;

  /**
   * @param replaceAfterBytes how much is added to the file before a shorter one takes its place. @default 4 MiB
   * @throws EmulatorStartError when another emulator uses the file, or its folder cannot be written
   */
  constructor(
    statePath: string,
    private readonly snapshot: () => StoredState,
    private readonly replaceAfterBytes: number = defaultReplaceAfterBytes,
  ) {
    try {
      this.path = withoutLinks(resolve(statePath));
      this.#unlock = lockStateFile(this.path);
    } catch (error) {
      throw error instanceof EmulatorStartError ? error : unusable(statePath, error);
    }
  }

  /**
   * Reads the file; undefined when there is none yet.
   *
   * @throws EmulatorStartError when the file cannot be read or is not an emulator's state
   */
  load(): StoredState | undefined {
    let text: string;
    try {
      rmSync(this.#temporaryPath, { force: true });
      text = readFileSync(this.path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") {
        return undefined;
      }
      throw unusable(this.path, error);
    }
    return parseState(this.path, text);
  }

  /**
   * Resolves when everything up to this call is on disk. Calls that come while a write is under way share the next one.
   *
   * @throws Error when the file cannot be written, or the emulator is closed
   */
  save(): Promise<void> {
    if (this.#closed) {
      return Promise.reject(new Error(`the emulator is closed and no longer owns ${this.path}`));
    }
    this.#nextWrite ??= this.#writing
      .catch(() => {
        // Whoever waited for that write has been told; the next one writes the whole state again.
      })
      .then(() => {
        this.#nextWrite = undefined;
        this.#writing = this.#write();
        return this.#writing;
      });
    return this.#nextWrite;
  }

  /** Writes the state a last time and lets go of the file. */
  async close(): Promise<void> {
    try {
      await this.save();
    } finally {
      this.release();
    }
  }

  /** Lets go of the file without writing it. */
  release(): void {
    this.#closed = true;
    this.#unlock();
  }

  get #temporaryPath(): string {
    return `${this.path}.tmp`;
  }

  async #write(): Promise<void> {
    const state = this.snapshot();
    const logged = this.#logged;
    // Not known any more until the write has succeeded.
    this.#logged = undefined;
    if (logged !== undefined && this.#addedBytes < this.replaceAfterBytes) {
      const commit = writeCommit(logged, state);
      if (commit === "" || (await this.#append(commit))) {
        this.#logged = logged;
        return;
      }
    }
    this.#logged = await this.#replace(state);
  }

  /** @returns whether it is on disk; if not, the file may be gone, full or not as this process left it */
  async #append(commit: string): Promise<boolean> {
    try {
      // Opened by name each time: to a file that was deleted, an open one could be written for ever without a trace.
      const file = await open(this.path, constants.O_WRONLY | constants.O_APPEND);
      try {
        if ((await file.stat()).size !== this.#sizeBytes) {
          return false;
        }
        await file.writeFile(commit);
        await file.datasync();
      } finally {
        await file.close();
      }
    } catch {
      return false;
    }
    const bytes = Buffer.byteLength(commit);
    this.#sizeBytes += bytes;
    this.#addedBytes += bytes;
    return true;
  }

  async #replace(state: StoredState): Promise<Logged> {
    const whole = writeWhole(state);
    const text = `${JSON.stringify({ format, version })}\n${whole.text}`;
    try {
      const file = await open(this.#temporaryPath, "wx", 0o600);
      try {
        await file.writeFile(text);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(this.#temporaryPath, this.path);
    } catch (error) {
      await rm(this.#temporaryPath, { force: true });
      throw error;
    }
    this.#sizeBytes = Buffer.byteLength(text);
    this.#addedBytes = 0;
    return whole.logged;
  }
}

// Two names of one file must lead to one lock, and a link must not be replaced by a file.
function withoutLinks(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  try {
    return realpathSync(path);
  } catch {
    return join(realpathSync(dirname(path)), basename(path));
  }
}

function parseState(path: string, text: string): StoredState {
  const broken = (problem: string) =>
    new EmulatorStartError(
      "STATE_FILE_BROKEN",
      `State file ${path} ${problem}. Name another file, restore this one from a copy, or delete it to begin without sessions.`,
    );
  const [firstLine = "", ...lines] = text.split("\n");
  const value = parseJson(firstLine) ?? parseJson(text);
  if (value === undefined) {
    throw broken("is not valid JSON");
  }
  const head = z.object({ format: z.literal(format), version: z.int() }).safeParse(value);
  if (!head.success) {
    throw broken("was not written by this emulator");
  }
  let stored = value;
  if (head.data.version === version) {
    // What follows the last line's end is nothing, or a commit that was cut off.
    const commits = readCommits(lines.slice(0, -1));
    if ("damagedLine" in commits) {
      throw broken(`is damaged at line ${commits.damagedLine}`);
    }
    stored = commits.state;
  } else if (head.data.version !== wholeStateVersion) {
    throw broken(`has version ${head.data.version}, which this emulator (version ${version}) cannot read`);
  }
  const state = stateSchema.safeParse(stored);
  if (!state.success) {
    throw broken(`is damaged at ${state.error.issues[0]?.path.join(".") || "its top level"}`);
  }
  return state.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The failure of a start because the file cannot be read or written. */
export function unusable(path: string, error: unknown): EmulatorStartError {
  const reason = error instanceof Error ? error.message : String(error);
  return new EmulatorStartError("STATE_FILE_UNUSABLE", `State file ${path} cannot be used: ${reason}`, {
    cause: error,
  });
}
