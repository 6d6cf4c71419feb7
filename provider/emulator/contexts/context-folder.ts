// Keeps contexts on disk: the files' contents under names of their own, and an index that tells what they are. A change
// is acknowledged only after a complete new index has replaced the old one. A content is never overwritten, and removed
// only when no index on disk names it, so that a process that is killed at any moment loses nothing acknowledged.

import { createReadStream, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { stateNotSaved } from "../failures";
import { randomText } from "../identifiers";
import { EmulatorStartError } from "../start-error";
import { parseIndex, serializeIndex } from "./context-index";
import type { ContextStore, StoredContexts } from "./context-store";

/** More bytes came than a file may have. */
export class ContentTooLarge extends Error {
  override readonly name = "ContentTooLarge";
}

/** Where the contexts of one running emulator are. */
export class ContextFolder {
  /** Signs the addresses of files, so that addresses handed out before a restart work after it. */
  secret = randomText(43);
  // Known only once something has to be written when there is no state file.
  #path: string | undefined;
  readonly #isTemporary: boolean;
  #savedRevision = 0;
  #saving: Promise<void> = Promise.resolve();
  readonly #unfinished = new Set<string>();

  /** @param statePath the sessions' state file, beside which the folder lies; without one the contexts end with the emulator */
  constructor(
    statePath: string | undefined,
    private readonly store: ContextStore,
  ) {
    this.#isTemporary = statePath === undefined;
    this.#path = statePath === undefined ? undefined : `${statePath}.contexts`;
  }

  /**
   * Reads the index into the store and removes what a killed process left behind.
   *
   * @throws EmulatorStartError when it cannot be read or is no index
   */
  load(): void {
    const path = this.#path;
    if (path === undefined) {
      return;
    }
    try {
      const { secret, ...stored } = parseIndex(indexIn(path), readFileSync(indexIn(path), "utf8"));
      this.secret = secret;
      this.store.load(stored);
      this.#savedRevision = this.store.revision;
      this.#removeUnnamed(path, new Set());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        throw error instanceof EmulatorStartError ? error : unusable(path, error);
      }
    }
  }

  /**
   * Resolves when everything up to this call is on disk.
   *
   * @throws ApiFailure (HTTP 503) when it cannot be written
   */
  async save(): Promise<void> {
    const wanted = this.store.revision;
    this.#saving = this.#saving
      .catch(() => {
        // Whoever waited for that write has been told; the next one writes the whole index again.
      })
      .then(() => (this.#savedRevision < wanted ? this.#write() : undefined));
    await this.#saving.catch((error: Error) => {
      throw stateNotSaved(error.message);
    });
  }

  /**
   * Writes a content to disk. Nothing names it yet, so it has to be put into the store and saved.
   *
   * @throws ContentTooLarge; Error when the source ends early or the disk is full
   */
  async writeContent(source: AsyncIterable<Buffer>, limitBytes: number): Promise<{ blob: string; sizeBytes: number }> {
    const blob = randomText(32);
    this.#unfinished.add(blob);
    let sizeBytes = 0;
    try {
      const file = await open(join(this.#made(), blob), "wx", 0o600);
      try {
        for await (const chunk of source) {
          sizeBytes += chunk.length;
          if (sizeBytes > limitBytes) {
            throw new ContentTooLarge(`more than ${limitBytes} bytes`);
          }
          await file.appendFile(chunk);
        }
        await file.datasync();
      } finally {
        await file.close();
      }
      return { blob, sizeBytes };
    } catch (error) {
      await this.discardContent(blob);
      throw error;
    }
  }

  /** Removes a content that was written but is not going to be named. */
  async discardContent(blob: string): Promise<void> {
    this.#unfinished.delete(blob);
    await rm(join(this.#made(), blob), { force: true });
  }

  readContent(blob: string): Readable {
    return createReadStream(join(this.#made(), blob));
  }

  /** Waits for the writes under way. A temporary folder is removed. */
  async close(): Promise<void> {
    await this.#saving.catch(() => {});
    this.discard();
  }

  /** Removes the folder if it is a temporary one. */
  discard(): void {
    if (this.#isTemporary && this.#path !== undefined) {
      rmSync(this.#path, { recursive: true, force: true });
    }
  }

  /** The folder, which is made when it is first needed. */
  #made(): string {
    this.#path ??= mkdtempSync(join(tmpdir(), "agb-emulator-contexts-"));
    mkdirSync(this.#path, { recursive: true, mode: 0o700 });
    return this.#path;
  }

  async #write(): Promise<void> {
    const { revision } = this.store;
    const path = this.#made();
    const stored = this.store.snapshot();
    const named = blobsOf(stored);
    if (!this.#isTemporary) {
      await writeIndex(indexIn(path), serializeIndex({ ...stored, secret: this.secret }));
    }
    this.#savedRevision = revision;
    for (const blob of named) {
      this.#unfinished.delete(blob);
    }
    this.#removeUnnamed(path, named);
  }

  // What only the index on disk still names is kept until the next index is there.
  #removeUnnamed(path: string, namedOnDisk: ReadonlySet<string>): void {
    const named = blobsOf(this.store.snapshot());
    for (const name of readdirSync(path)) {
      if (/^[a-z0-9]{32}$/.test(name) && !named.has(name) && !namedOnDisk.has(name) && !this.#unfinished.has(name)) {
        rmSync(join(path, name), { force: true });
      }
    }
  }
}

function blobsOf({ contexts }: StoredContexts): Set<string> {
  return new Set(contexts.flatMap((record) => record.files.map((file) => file.blob)));
}

function indexIn(folder: string): string {
  return join(folder, "index.json");
}

async function writeIndex(path: string, text: string): Promise<void> {
  const temporaryPath = `${path}.tmp`;
  try {
    const file = await open(temporaryPath, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporaryPath, path);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
}

function unusable(path: string, error: unknown): EmulatorStartError {
  const reason = error instanceof Error ? error.message : String(error);
  return new EmulatorStartError("STATE_FILE_UNUSABLE", `Context folder ${path} cannot be used: ${reason}`, {
    cause: error,
  });
}
