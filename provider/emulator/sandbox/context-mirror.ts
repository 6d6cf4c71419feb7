import { constants } from "node:fs";
import { lstat, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ContextFolder } from "../contexts/context-folder";
import type { ContextFile, ContextMount, ContextRecord } from "../contexts/context-record";
import type { ContextStore } from "../contexts/context-store";
import { pathBelow } from "../contexts/file-paths";
import { contextFolderOf, isSynchronized, parseSyncPolicy } from "../contexts/sync-policy";
import { randomText } from "../identifiers";
import type { Sandbox } from "./sandbox";
import { openResolved } from "./session-paths";

/** Copies files between contexts and the folders of sessions that mount them. */
export class ContextMirror {
  constructor(
    private readonly contexts: ContextStore,
    private readonly folder: ContextFolder,
    private readonly maximumFileBytes: number,
  ) {}

  /**
   * Copies the context's files into the session; what else is there stays.
   *
   * @throws Error when a file cannot be written
   */
  async download(sandbox: Sandbox, mount: ContextMount): Promise<void> {
    await mkdir(await sandbox.resolve(mount.path), { recursive: true });
    const known = await KnownFiles.read(sandbox);
    for (const { file, relativePath } of this.#filesAt(mount)) {
      const target = await sandbox.resolve(posix.join(mount.path, relativePath));
      await mkdir(dirname(target), { recursive: true });
      const temporaryPath = `${target}.${randomText(8)}.part`;
      const handle = await openResolved(temporaryPath, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
      await pipeline(this.folder.readContent(file.blob), handle.createWriteStream());
      await markUnchanged(temporaryPath, file);
      await rename(temporaryPath, target);
      known.add(mount.contextId, file.path);
    }
    await known.write();
  }

  /**
   * Copies the session's files into the context, and removes there what the session had and has deleted.
   *
   * @throws Error when a file is over the limit or the disk is full
   */
  async upload(sandbox: Sandbox, mount: ContextMount): Promise<void> {
    const policy = parseSyncPolicy("policy", mount.policy);
    const contextFolder = contextFolderOf(policy, mount.path);
    const stored = new Map(this.#filesAt(mount).map((entry) => [entry.file.path, entry.file]));
    const known = await KnownFiles.read(sandbox);
    const found = new Set<string>();
    for (const relativePath of await regularFilesBelow(await sandbox.resolve(mount.path))) {
      if (isSynchronized(policy, mount.path, relativePath)) {
        const path = posix.join(contextFolder, relativePath);
        found.add(path);
        await this.#store(mount.contextId, path, await sandbox.resolve(posix.join(mount.path, relativePath)), stored);
      }
    }
    if (policy.deletePolicy.syncLocalFile) {
      // What the session never had is not missing in it: somebody else has stored it meanwhile.
      const deleted = [...stored.keys()].filter((path) => known.has(mount.contextId, path) && !found.has(path));
      this.contexts.removeFiles(this.#require(mount.contextId).contextId, new Set(deleted));
    }
    for (const path of found) {
      known.add(mount.contextId, path);
    }
    await known.write();
  }

  async #store(contextId: string, path: string, source: string, stored: ReadonlyMap<string, ContextFile>) {
    const handle = await openResolved(source, constants.O_RDONLY);
    try {
      const { size, mtimeMs } = await handle.stat();
      const earlier = stored.get(path);
      if (earlier !== undefined && earlier.sizeBytes === size && earlier.modifiedAtMs === Math.round(mtimeMs)) {
        return;
      }
      const content = await this.folder.writeContent(
        handle.createReadStream({ autoClose: false }),
        this.maximumFileBytes,
      );
      if (this.contexts.find(contextId) === undefined) {
        await this.folder.discardContent(content.blob);
      }
      this.#require(contextId);
      this.contexts.putFile(contextId, path, content);
      const file = this.#require(contextId).files.find((other) => other.path === path);
      await markUnchanged(source, file as ContextFile);
    } finally {
      await handle.close();
    }
  }

  #filesAt(mount: ContextMount): { file: ContextFile; relativePath: string }[] {
    const policy = parseSyncPolicy("policy", mount.policy);
    const contextFolder = contextFolderOf(policy, mount.path);
    return this.#require(mount.contextId).files.flatMap((file) => {
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

// A file whose time and size are those of the context's file is taken for unchanged at the next upload.
async function markUnchanged(path: string, file: ContextFile): Promise<void> {
  const seconds = file.modifiedAtMs / 1000;
  await utimes(path, seconds, seconds);
}

async function regularFilesBelow(folder: string, relativeFolder = ""): Promise<string[]> {
  const entries = await readdir(join(folder, relativeFolder), { withFileTypes: true }).catch(() => []);
  const files: string[] = [];
  for (const entry of entries) {
    const relativePath = posix.join(relativeFolder, entry.name);
    if (entry.isDirectory()) {
      files.push(...(await regularFilesBelow(folder, relativePath)));
    } else if (entry.isFile() && (await lstat(join(folder, relativePath))).isFile()) {
      files.push(relativePath);
    }
  }
  return files;
}

/** Which files of which contexts a session has had. Kept beside its root, so that a restart does not lose it. */
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
