// The contents of context files, each in a file of its own with a random name. The state says which content belongs to
// which context file.
//
// Order matters when a process may be killed at any moment. A content is complete on disk before the state names it. It is
// never overwritten: a changed file gets a new content. It is removed only after a state that no longer names it is on
// disk. A content that no state names was left by a killed process, and the next start removes it.

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { randomString } from "../identifiers";

/** More bytes came than a file may have. */
export class ContentTooLarge extends Error {
  override readonly name = "ContentTooLarge";
}

/** The state names a content that is not on disk. */
export class ContentMissing extends Error {
  override readonly name = "ContentMissing";

  constructor() {
    super("its content is missing on disk: the state file was moved or restored without the folders beside it");
  }
}

/** A content that is on disk. */
export interface Content {
  /** The name of the file that holds it. */
  readonly blob: string;
  readonly sizeBytes: number;
}

/** The folder in which one running emulator keeps the contents of context files. */
export class FileContents {
  /** Undefined for a temporary folder that is not needed yet. */
  #folder: string | undefined;
  readonly #isTemporary: boolean;
  #unneeded: string[] = [];

  /** @param folder absolute path; undefined for a temporary folder, which `close` removes */
  constructor(folder: string | undefined) {
    this.#folder = folder;
    this.#isTemporary = folder === undefined;
  }

  /**
   * Writes a content to disk. Nothing names it yet.
   *
   * @throws ContentTooLarge; Error when the source ends early or the disk is full
   */
  async write(source: AsyncIterable<Buffer>, limitBytes: number): Promise<Content> {
    const blob = randomString(32);
    let sizeBytes = 0;
    try {
      const file = await open(this.#pathOf(blob), "wx", 0o600);
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
      await this.discard(blob);
      throw error;
    }
  }

  /** Removes a content that nothing names and nothing will name. */
  async discard(blob: string): Promise<void> {
    await rm(this.#pathOf(blob), { force: true });
  }

  /**
   * Opens a content. Once it is open, it can be read to its end even if it is removed meanwhile.
   *
   * @throws ContentMissing when it is not there; Error with a system error code when it cannot be opened
   */
  async open(blob: string): Promise<FileHandle> {
    return open(this.#pathOf(blob), "r").catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ENOENT" ? new ContentMissing() : error;
    });
  }

  /** Says that the state no longer names a content. It is removed with the next `saveThenRemove`. */
  release(blob: string): void {
    this.#unneeded.push(blob);
  }

  /**
   * Saves the state, then removes the contents that it does not name any more.
   *
   * @param save resolves when the present state is on disk
   * @throws what `save` throws; everything is kept then
   */
  async saveThenRemove(save: () => Promise<void>): Promise<void> {
    const unneeded = this.#unneeded;
    this.#unneeded = [];
    try {
      await save();
    } catch (error) {
      this.#unneeded.push(...unneeded);
      throw error;
    }
    // The next start removes what cannot be removed now.
    await Promise.allSettled(unneeded.map((blob) => this.discard(blob)));
  }

  /**
   * Removes the contents that a killed process left behind.
   *
   * @throws Error when the folder cannot be read
   */
  removeUnnamed(isNamed: (blob: string) => boolean): void {
    for (const name of this.#list()) {
      if (/^[a-z0-9]{32}$/.test(name) && !isNamed(name)) {
        rmSync(this.#pathOf(name), { force: true });
      }
    }
  }

  /** Removes the folder if it is a temporary one. */
  close(): void {
    if (this.#isTemporary && this.#folder !== undefined) {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  #list(): string[] {
    try {
      return this.#folder === undefined ? [] : readdirSync(this.#folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") {
        return [];
      }
      throw error;
    }
  }

  #pathOf(blob: string): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), "agb-emulator-contexts-"));
    // Another program may have removed it.
    mkdirSync(dirname(this.#folder), { recursive: true, mode: 0o700 });
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    return join(this.#folder, blob);
  }
}
