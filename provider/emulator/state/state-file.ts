// Keeps the emulator's state in a file: a log. Changes are appended, and when the log has grown long, a shorter one
// replaces it. A change is acknowledged only after it is on disk, so a process that is killed at any moment leaves either
// the state before the change or the one after it. A read may show a change that is still being written. After a write that
// failed, all operations fail until a write succeeds.

import { constants, mkdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { EmulatorStartError } from "../start-error";
import { DamagedState, type EmulatorState } from "./emulator-state";
import { lockStateFile } from "./state-lock";
import { changePerLine, commitLine, readCommits } from "./state-log";

const format = "agb-emulator-state";
const version = 3;
// Replacing a file of thousands of sessions too often would cost more than everything else that the emulator does.
const defaultReplaceAfterBytes = 4 * 1024 * 1024;

/** The state file of one running emulator, locked against a second one. */
export class StateFile {
  readonly path: string;
  readonly #unlock: () => void;
  #writing: Promise<void> = Promise.resolve();
  #nextWrite: Promise<void> | undefined;
  #isClosed = false;
  /** Whether the file holds everything but the changes that the state has not handed out yet. If not, it is replaced. */
  #isComplete = false;
  #hasFailed = false;
  #sizeBytes = 0;
  #appendedBytes = 0;

  /**
   * @param replaceAfterBytes how much is appended to the file before a shorter one replaces it. @default 4 MiB
   * @throws EmulatorStartError when another emulator uses the file, or its folder cannot be written
   */
  constructor(
    statePath: string,
    private readonly state: EmulatorState,
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
   * Reads the file into the state, or writes a first one, so that no reply names an id that the next run does not have.
   *
   * @throws EmulatorStartError when the file cannot be read or written, or is not an emulator's state
   */
  async open(): Promise<void> {
    const text = this.#read();
    if (text !== undefined) {
      parseInto(this.state, this.path, text);
      return;
    }
    await this.save().catch((error: unknown) => {
      throw unusable(this.path, error);
    });
  }

  /**
   * Resolves when everything up to this call is on disk. Calls that come during a write share the next one.
   *
   * @throws Error when the file cannot be written, or the emulator is closed
   */
  save(): Promise<void> {
    if (this.#isClosed) {
      return Promise.reject(new Error(`the emulator is closed and no longer owns ${this.path}`));
    }
    this.#nextWrite ??= this.#writing
      .catch(() => {
        // The calls that waited for that write have failed. The next one replaces the whole file.
      })
      .then(() => {
        this.#nextWrite = undefined;
        this.#writing = this.#write();
        return this.#writing;
      });
    return this.#nextWrite;
  }

  /** Whether the last write failed, so that the file lacks changes that were refused for this reason. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Writes the state a last time and releases the file. */
  async close(): Promise<void> {
    try {
      await this.save();
    } finally {
      this.release();
    }
  }

  /** Releases the file without writing it. */
  release(): void {
    this.#isClosed = true;
    this.#unlock();
  }

  get #temporaryPath(): string {
    return `${this.path}.tmp`;
  }

  #read(): string | undefined {
    try {
      rmSync(this.#temporaryPath, { force: true });
      return readFileSync(this.path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") {
        return undefined;
      }
      throw unusable(this.path, error);
    }
  }

  async #write(): Promise<void> {
    const isAppendable = this.#isComplete && this.#appendedBytes < this.replaceAfterBytes;
    const commit = commitLine(this.state.takeChanges());
    this.#isComplete = false;
    try {
      if (!isAppendable || !(commit === "" || (await this.#append(commit)))) {
        await this.#replace();
      }
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
    this.#isComplete = true;
    this.#hasFailed = false;
  }

  /** @returns whether it is on disk. If not, the file may be gone, full, or changed by another program. */
  async #append(commit: string): Promise<boolean> {
    try {
      // Opened by name each time: an open file that was deleted takes everything that is written to it, and keeps nothing.
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
    this.#appendedBytes += bytes;
    return true;
  }

  async #replace(): Promise<void> {
    // The whole state includes what changed during an append that failed.
    this.state.takeChanges();
    const text = `${JSON.stringify({ format, version })}\n${changePerLine(this.state.allAsChanges())}`;
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
    this.#appendedBytes = 0;
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

function parseInto(state: EmulatorState, path: string, text: string): void {
  const broken = (problem: string) =>
    new EmulatorStartError(
      "STATE_FILE_BROKEN",
      `The state file ${path} ${problem}. Choose another file, restore this one from a copy, or delete it to start with no sessions and contexts.`,
    );
  const [firstLine = "", ...lines] = text.split("\n");
  let head: unknown;
  try {
    head = JSON.parse(firstLine);
  } catch {
    throw broken("is not valid JSON");
  }
  const parsed = z.object({ format: z.literal(format), version: z.int() }).safeParse(head);
  if (!parsed.success) {
    throw broken("was not written by this emulator");
  }
  if (parsed.data.version !== version) {
    throw broken(`has version ${parsed.data.version}, which this emulator (version ${version}) cannot read`);
  }
  // After the last line end there is nothing, or a commit that was cut off.
  const commits = readCommits(lines.slice(0, -1));
  if ("damagedLine" in commits) {
    throw broken(`is damaged at line ${commits.damagedLine}`);
  }
  try {
    state.load(commits.logged);
  } catch (error) {
    throw error instanceof DamagedState ? broken(`is damaged at ${error.place}`) : error;
  }
}

function unusable(path: string, error: unknown): EmulatorStartError {
  const reason = error instanceof Error ? error.message : String(error);
  return new EmulatorStartError(
    "STATE_FILE_UNUSABLE",
    `Cannot read or write the state file ${path}: ${reason}. Check the permissions and the free space, or choose another file.`,
    {
      cause: error,
    },
  );
}
