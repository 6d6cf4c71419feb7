// Keeps the store's state in a JSON file. A change is acknowledged only after a complete new file has replaced the old
// one, so a process that is killed at any moment leaves either the state before the change or the one after it.

import { mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import type { Labels } from "./labels";
import type { SessionRecord } from "./session";
import { EmulatorStartError } from "./start-error";
import { lockStateFile } from "./state-lock";
import type { StoredState } from "./store";

const format = "agb-emulator-state";
const version = 1;

const time = z.number();

const sessionSchema = z.object({
  sessionId: z.string(),
  sequence: z.int(),
  imageId: z.string(),
  policyId: z.string().optional(),
  // Not z.record, which would drop a label named __proto__.
  labels: z.custom<Labels>(
    (value) =>
      typeof value === "object" &&
      value !== null &&
      !Array.isArray(value) &&
      Object.values(value).every((label) => typeof label === "string"),
  ),
  mounts: z.array(z.object({ contextId: z.string(), path: z.string(), policy: z.string().optional() })).optional(),
  appInstanceId: z.string(),
  resourceId: z.string(),
  idleTimeoutSeconds: z.number(),
  maximumLifetimeSeconds: z.number(),
  createdAtMs: time,
  lastActivityAtMs: time,
  releasedAtMs: time.optional(),
});

const stateSchema = z.object({ nextSequence: z.int(), sessions: z.array(sessionSchema) });

/** The state file of one running emulator, locked against a second one. */
export class StateFile {
  readonly path: string;
  readonly #unlock: () => void;
  #writing: Promise<void> = Promise.resolve();
  #nextWrite: Promise<void> | undefined;
  #closed = false;
  // A record is never changed in place, so its text can be kept; with thousands of sessions most are the same each time.
  readonly #texts = new WeakMap<SessionRecord, string>();

  /** @throws EmulatorStartError when another emulator uses the file, or its folder cannot be written */
  constructor(
    statePath: string,
    private readonly snapshot: () => StoredState,
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
    const text = this.#serialize(this.snapshot());
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
  }

  #serialize(state: StoredState): string {
    const sessions = state.sessions.map((record) => {
      const text = this.#texts.get(record) ?? JSON.stringify(record);
      this.#texts.set(record, text);
      return text;
    });
    const head = JSON.stringify({ format, version, nextSequence: state.nextSequence });
    return `${head.slice(0, -1)},"sessions":[\n${sessions.join(",\n")}\n]}\n`;
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
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw broken("is not valid JSON");
  }
  const head = z.object({ format: z.literal(format), version: z.int() }).safeParse(value);
  if (!head.success) {
    throw broken("was not written by this emulator");
  }
  if (head.data.version !== version) {
    throw broken(`has version ${head.data.version}, which this emulator (version ${version}) cannot read`);
  }
  const state = stateSchema.safeParse(value);
  if (!state.success) {
    throw broken(`is damaged at ${state.error.issues[0]?.path.join(".") || "its top level"}`);
  }
  return state.data;
}

function unusable(path: string, error: unknown): EmulatorStartError {
  const reason = error instanceof Error ? error.message : String(error);
  return new EmulatorStartError("STATE_FILE_UNUSABLE", `State file ${path} cannot be used: ${reason}`, {
    cause: error,
  });
}
