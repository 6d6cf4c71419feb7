import { constants } from "node:fs";
import { type FileHandle, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import type { ContextFile, ContextMount, ContextRecord } from "../contexts/context-record";
import type { ContextStore } from "../contexts/context-store";
import type { FileContents } from "../contexts/file-contents";
import { pathBelow } from "../contexts/file-paths";
import { contextFolderOf, isSynchronized, parseSyncPolicy } from "../contexts/sync-policy";
import { randomString } from "../identifiers";
import { type FoundFile, findFiles } from "./find-files";
import type { Sandbox } from "./sandbox";
import { openRegularFile } from "./session-paths";
import { SkippedFiles } from "./skipped-files";

const chunkBytes = 256 * 1024;

/** Copies files between contexts and the folders of sessions that mount them. */
export class ContextMirror {
  constructor(
    private readonly contexts: ContextStore,
    private readonly contents: FileContents,
    private readonly maximumFileBytes: number,
  ) {}

  /**
   * Copies the context's files into the session. Other files of the session stay.
   *
   * @throws SkippedFilesError when some could not be copied; all others are copied
   */
  async download(sandbox: Sandbox, mount: ContextMount): Promise<void> {
    const known = await KnownFiles.read(sandbox);
    const skipped = new SkippedFiles("downloaded");
    await sandbox.makeFolder(mount.path).catch((error: unknown) => skipped.add(mount.path, error));
    for (const { file, relativePath } of this.#filesAt(mount)) {
      const path = posix.join(mount.path, relativePath);
      try {
        const place = (entry: string) => this.#place(mount.contextId, file.path, entry);
        if (await sandbox.withEntry(path, place, { changesFolder: true })) {
          known.add(mount.contextId, file.path);
          skipped.noteCopied();
        }
      } catch (error) {
        skipped.add(path, error);
      }
    }
    await known.write();
    skipped.throwIfAny();
  }

  /**
   * Copies the session's files into the context, and removes files there that the session had and has deleted.
   *
   * @throws SkippedFilesError when some could not be copied, for instance because they are too large; all others are copied,
   *   and the context keeps what it had of the skipped ones
   */
  async upload(sandbox: Sandbox, mount: ContextMount): Promise<void> {
    const policy = parseSyncPolicy("policy", mount.policy);
    const contextFolder = contextFolderOf(policy, mount.path);
    const stored = new Map(this.#filesAt(mount).map((entry) => [entry.file.path, entry.file]));
    const known = await KnownFiles.read(sandbox);
    const found = new Set<string>();
    const skipped = new SkippedFiles("uploaded");
    const isWanted = (relativePath: string) => isSynchronized(policy, mount.path, relativePath);
    for (const { relativePath, problem } of await filesIn(sandbox, mount)) {
      if (!isWanted(relativePath)) {
        continue;
      }
      const path = posix.join(mount.path, relativePath);
      if (problem !== undefined) {
        skipped.add(path, problem);
        continue;
      }
      const contextPath = posix.join(contextFolder, relativePath);
      try {
        await sandbox.withEntry(path, (entry) => this.#store(mount.contextId, contextPath, entry, stored), {
          followsLast: false,
        });
        found.add(contextPath);
        skipped.noteCopied();
      } catch (error) {
        this.#require(mount.contextId);
        // A file that is gone by now was not skipped but deleted.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
          found.add(contextPath);
          skipped.add(path, error);
        }
      }
    }
    if (policy.deletePolicy.syncLocalFile) {
      // A file that the session never had was stored by another client in between. And a file in a folder that could not be
      // read may still exist.
      const deleted = [...stored.keys()].filter(
        (path) =>
          known.has(mount.contextId, path) &&
          !found.has(path) &&
          !skipped.covers(posix.join(mount.path, pathBelow(contextFolder, path) ?? "")),
      );
      for (const path of deleted) {
        this.contexts.removeFile(mount.contextId, path);
      }
    }
    for (const { path } of this.contexts.files(this.#require(mount.contextId).contextId)) {
      if (found.has(path)) {
        known.add(mount.contextId, path);
      }
    }
    await known.write();
    skipped.throwIfAny();
  }

  /** @returns false if the context has no such file any more */
  async #place(contextId: string, path: string, entry: string): Promise<boolean> {
    const opened = await this.contexts.openFile(contextId, path);
    if (opened === undefined) {
      return false;
    }
    const { file, content } = opened;
    const temporaryPath = `${dirname(entry)}/.${randomString(12)}.part`;
    try {
      const handle = await open(temporaryPath, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o644);
      try {
        for await (const chunk of contentOf(content)) {
          await handle.appendFile(chunk);
        }
        await markUnchanged(handle, file);
      } finally {
        await handle.close();
      }
      await rename(temporaryPath, entry);
      return true;
    } catch (error) {
      await rm(temporaryPath, { force: true });
      throw error;
    } finally {
      await content.close();
    }
  }

  async #store(contextId: string, path: string, entry: string, stored: ReadonlyMap<string, ContextFile>) {
    const handle = await openRegularFile(entry, constants.O_RDONLY);
    try {
      const { size, mtimeMs } = await handle.stat();
      const earlier = stored.get(path);
      if (earlier !== undefined && earlier.sizeBytes === size && earlier.modifiedAtMs === Math.round(mtimeMs)) {
        return;
      }
      const content = await this.contents.write(contentOf(handle), this.maximumFileBytes);
      if (this.contexts.find(contextId) === undefined) {
        await this.contents.discard(content.blob);
      }
      this.#require(contextId);
      const file = this.contexts.putFile(contextId, path, content);
      const now = await handle.stat();
      // A file that was written during the upload has to be uploaded again.
      if (now.size === size && now.mtimeMs === mtimeMs) {
        await markUnchanged(handle, file);
      }
    } finally {
      await handle.close();
    }
  }

  #filesAt(mount: ContextMount): { file: ContextFile; relativePath: string }[] {
    const policy = parseSyncPolicy("policy", mount.policy);
    const contextFolder = contextFolderOf(policy, mount.path);
    return [...this.contexts.files(this.#require(mount.contextId).contextId)].flatMap((file) => {
      const relativePath = pathBelow(contextFolder, file.path);
      return relativePath !== undefined && isSynchronized(policy, mount.path, relativePath)
        ? [{ file, relativePath }]
        : [];
    });
  }

  #require(contextId: string): ContextRecord {
    const record = this.contexts.find(contextId);
    if (record === undefined) {
      throw new Error("Context not found");
    }
    return record;
  }
}

// A session may have removed the mount. Then there are no files.
function filesIn(sandbox: Sandbox, mount: ContextMount): Promise<readonly FoundFile[]> {
  return findFiles(sandbox, mount.path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") {
      return [];
    }
    throw error;
  });
}

// Each chunk is valid until the next one is read.
async function* contentOf(handle: FileHandle): AsyncGenerator<Buffer> {
  const chunk = Buffer.alloc(chunkBytes);
  for (;;) {
    const { bytesRead } = await handle.read(chunk, 0, chunkBytes, null);
    if (bytesRead === 0) {
      return;
    }
    yield chunk.subarray(0, bytesRead);
  }
}

// The next upload skips a file that has the size and time of the context's file.
async function markUnchanged(handle: FileHandle, file: ContextFile): Promise<void> {
  const seconds = file.modifiedAtMs / 1000;
  await handle.utimes(seconds, seconds);
}

/** Which files of which contexts a session has had. Kept next to its root, so that it survives a restart. */
class KnownFiles {
  private constructor(
    private readonly path: string,
    private readonly keys: Set<string>,
  ) {}

  static async read(sandbox: Sandbox): Promise<KnownFiles> {
    const path = join(dirname(sandbox.root), "known-files.json");
    const text = await readFile(path, "utf8").catch(() => "[]");
    return new KnownFiles(path, new Set(JSON.parse(text) as string[]));
  }

  add(contextId: string, path: string): void {
    this.keys.add(`${contextId} ${path}`);
  }

  has(contextId: string, path: string): boolean {
    return this.keys.has(`${contextId} ${path}`);
  }

  async write(): Promise<void> {
    const temporaryPath = `${this.path}.tmp`;
    await writeFile(temporaryPath, JSON.stringify([...this.keys]), { mode: 0o600 });
    await rename(temporaryPath, this.path).catch((error: unknown) =>
      rm(temporaryPath).then(() => Promise.reject(error)),
    );
  }
}
