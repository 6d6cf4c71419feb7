/** What a program wants in a session: files of this machine, or strings. Only this file reads them from the disk. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readdirSync, readSync, realpathSync, type Stats, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join, posix, resolve } from "node:path";
import { CleanError } from "../api/errors";
import { printable } from "../api/outside-text";

/** Where content comes from. Relative paths start at the program's folder. */
export type FileSource =
  | { readonly file: string }
  | { readonly text: string }
  | { readonly folder: string }
  | { readonly archive: { readonly [name: string]: FileSource } };

/** One file with its content's hash. */
export interface LocalFile {
  /** Path in the archive with slashes; empty for a single file. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Whether its owner may execute it. Always false for a string. */
  readonly isExecutable: boolean;
  readonly content: { readonly file: string } | { readonly text: string };
}

/** Everything that a source holds. */
export interface LocalFiles {
  /** Whether it is an archive, whose files go into a folder. */
  readonly isFolder: boolean;
  /** In the order of their paths. */
  readonly files: readonly LocalFile[];
  /** Paths of all folders in the archive, each after the folder that holds it. */
  readonly folders: readonly string[];
  /** SHA-256 of a single file's content, or of the list of an archive's files, in hexadecimal digits. */
  readonly contentHash: string;
}

/** What is wrong with a source. */
export type SourceFault = "unreadable" | "large" | "name" | "changed";

/** A source cannot be sent. */
export class AgbFileSourceError extends CleanError {
  constructor(
    readonly fault: SourceFault,
    message: string,
  ) {
    super(message);
  }
}

/** The most bytes of all files of a source together: 100 MB. */
export const mostContentBytes = 100_000_000;
/** The most bytes of a string, because Pulumi's state holds it. */
export const mostTextBytes = 1024 * 1024;
/** The most files and folders of a source together. */
export const mostEntries = 20_000;

const chunkBytes = 1024 * 1024;
/** The longest name that Linux takes. */
const longestNameBytes = 255;

/**
 * Reads and hashes all files of a source, one piece at a time.
 *
 * @throws AgbFileSourceError when it cannot be sent
 */
export function readLocalFiles(source: FileSource): LocalFiles {
  const isFolder = "folder" in source || "archive" in source;
  const collector = new Collector();
  collector.add("", source);
  const files = [...collector.files.values()].sort(byPath);
  const folders = [...collector.folders].sort();
  const [single] = files;
  const contentHash = isFolder || single === undefined ? hashOfList(files, folders) : single.sha256;
  return { isFolder, files, folders, contentHash };
}

/** Yields the content of a file, and makes sure that it is still what was hashed. */
export async function* contentOf({ content, sizeBytes, sha256 }: LocalFile): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  if ("text" in content) {
    yield Buffer.from(content.text);
    return;
  }
  const handle = await open(content.file).catch((error: unknown) => {
    throw unreadable(content.file, error);
  });
  try {
    let leftBytes = sizeBytes;
    while (leftBytes > 0) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(chunkBytes, leftBytes)));
      if (bytesRead === 0) {
        break;
      }
      leftBytes -= bytesRead;
      const chunk = buffer.subarray(0, bytesRead);
      hash.update(chunk);
      yield chunk;
    }
  } finally {
    await handle.close();
  }
  if (hash.digest("hex") !== sha256) {
    throw changedError(content.file);
  }
}

/** The error for a file or folder that changed after it was compared. */
export function changedError(file: string): AgbFileSourceError {
  return new AgbFileSourceError("changed", `${printable(file)} changed while Pulumi was running`);
}

class Collector {
  readonly files = new Map<string, LocalFile>();
  readonly folders = new Set<string>();
  #sizeBytes = 0;

  add(path: string, source: FileSource): void {
    if ("text" in source) {
      this.addText(path, source.text);
    } else if ("file" in source) {
      this.addFile(path, source.file);
    } else if ("folder" in source) {
      this.addLocalFolder(path, source.folder);
    } else {
      this.addFolder(path);
      for (const [name, inner] of Object.entries(source.archive)) {
        const names = name.split("/");
        requireGoodNames(name, names);
        this.add(posix.join(path, ...names), inner);
      }
    }
  }

  private addText(path: string, text: string): void {
    const bytes = Buffer.from(text);
    if (bytes.length > mostTextBytes) {
      const reason =
        `a string of ${bytes.length} bytes is larger than ${mostTextBytes}, because Pulumi's state would hold it; ` +
        "write it to a file and use FileAsset";
      throw new AgbFileSourceError("large", reason);
    }
    this.put(path, {
      sizeBytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      isExecutable: false,
      content: { text },
    });
  }

  private addFile(path: string, file: string): void {
    const stats = statsOf(file);
    if (!stats.isFile()) {
      const kind = stats.isDirectory() ? "a folder; use FileArchive" : "not a regular file";
      throw new AgbFileSourceError("unreadable", `${place(file)} is ${kind}`);
    }
    this.putFile(path, file, stats);
  }

  private addLocalFolder(path: string, folder: string): void {
    if (!statsOf(folder).isDirectory()) {
      const reason =
        `${place(folder)} is a file, and packed archives are not unpacked; unpack it and name the folder, or send it with ` +
        "FileAsset and unpack it with a command";
      throw new AgbFileSourceError("unreadable", reason);
    }
    this.walk(path, folder, []);
  }

  /** Takes links for what they lead to. `above` has the real paths of the folders on the way, so that no link leads in a circle. */
  private walk(path: string, folder: string, above: readonly string[]): void {
    const real = realpathSync(folder);
    if (above.includes(real)) {
      throw new AgbFileSourceError("unreadable", `${place(folder)} is a link that leads in a circle`);
    }
    this.addFolder(path);
    for (const nameBytes of readFolder(folder)) {
      const name = nameBytes.toString();
      const [inner, innerPath] = [join(folder, name), posix.join(path, name)];
      if (!Buffer.from(name).equals(nameBytes)) {
        throw new AgbFileSourceError("name", `${place(inner)} has a name that is no valid UTF-8`);
      }
      const stats = statsOf(inner);
      if (stats.isDirectory()) {
        this.walk(innerPath, inner, [...above, real]);
      } else if (stats.isFile()) {
        this.putFile(innerPath, inner, stats);
      } else {
        throw new AgbFileSourceError("unreadable", `${place(inner)} is neither a file nor a folder`);
      }
    }
  }

  private putFile(path: string, file: string, { size, mode }: Stats): void {
    this.countBytes(size);
    const { sha256, sizeBytes } = hashFile(file, size);
    this.put(path, { sha256, sizeBytes, isExecutable: (mode & 0o100) !== 0, content: { file: resolve(file) } }, size);
  }

  private put(path: string, file: Omit<LocalFile, "path">, countedBytes = 0): void {
    this.countBytes(file.sizeBytes - countedBytes);
    if (this.files.has(path) || this.folders.has(path)) {
      throw new AgbFileSourceError("name", `${quotedPath(path)} is in the archive twice`);
    }
    this.addFoldersAbove(path);
    this.files.set(path, { path, ...file });
    this.countEntries();
  }

  private addFolder(path: string): void {
    if (path === "" || this.folders.has(path)) {
      return;
    }
    if (this.files.has(path)) {
      throw new AgbFileSourceError("name", `${quotedPath(path)} is both a file and a folder in the archive`);
    }
    this.addFoldersAbove(path);
    this.folders.add(path);
    this.countEntries();
  }

  private addFoldersAbove(path: string): void {
    const end = path.lastIndexOf("/");
    if (end > 0) {
      this.addFolder(path.slice(0, end));
    }
  }

  // Large files are refused before they are read.
  private countBytes(sizeBytes: number): void {
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes > mostContentBytes) {
      throw new AgbFileSourceError("large", `the files have more than ${mostContentBytes / 1_000_000} MB together`);
    }
  }

  private countEntries(): void {
    if (this.files.size + this.folders.size > mostEntries) {
      throw new AgbFileSourceError("large", `there are more than ${mostEntries} files and folders`);
    }
  }
}

/** Checks the names that a program gives. Those of the disk are what Linux allows. */
function requireGoodNames(path: string, names: readonly string[]): void {
  const fault = names.some((name) => ["", ".", ".."].includes(name))
    ? "must be a relative path without empty parts, . and .."
    : path.includes("\0") || /\p{Surrogate}/u.test(path)
      ? "has characters that no file name can have"
      : names.some((name) => Buffer.byteLength(name) > longestNameBytes)
        ? `has a part of more than ${longestNameBytes} bytes`
        : undefined;
  if (fault !== undefined) {
    throw new AgbFileSourceError("name", `the name "${printable(path, 80)}" in the archive ${fault}`);
  }
}

function readFolder(folder: string): Buffer[] {
  try {
    return readdirSync(folder, { encoding: "buffer" });
  } catch (error) {
    throw unreadable(folder, error);
  }
}

function statsOf(file: string): Stats {
  try {
    return statSync(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function hashFile(file: string, size: number): { sha256: string; sizeBytes: number } {
  const hash = createHash("sha256");
  const buffer = Buffer.alloc(Math.min(chunkBytes, size + 1));
  let sizeBytes = 0;
  try {
    const descriptor = openSync(file, "r");
    try {
      for (let read = -1; read !== 0; sizeBytes += read) {
        read = readSync(descriptor, buffer);
        hash.update(buffer.subarray(0, read));
        if (sizeBytes > mostContentBytes) {
          break;
        }
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw unreadable(file, error);
  }
  return { sha256: hash.digest("hex"), sizeBytes };
}

function unreadable(file: string, error: unknown): AgbFileSourceError {
  const { code } = error as NodeJS.ErrnoException;
  const reason = readFailures[code ?? ""] ?? `cannot be read (${code})`;
  return new AgbFileSourceError("unreadable", `${place(file)} ${reason}`);
}

const readFailures: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist",
  ELOOP: "is a link that leads in a circle",
};

/** Names a place as the program does, and where that is if it is relative. */
function place(file: string): string {
  const absolute = resolve(file);
  return absolute === file ? quotedPath(file) : `${quotedPath(file)} (${printable(absolute)})`;
}

function quotedPath(path: string): string {
  return `"${printable(path)}"`;
}

function byPath(one: LocalFile, other: LocalFile): number {
  return one.path < other.path ? -1 : 1;
}

/** Only what the session gets counts: not where the files are on this machine, their times or owners. */
function hashOfList(files: readonly LocalFile[], folders: readonly string[]): string {
  const hash = createHash("sha256");
  for (const folder of folders) {
    hash.update(`d ${folder}\0`);
  }
  for (const { path, sha256, isExecutable } of files) {
    hash.update(`${isExecutable ? "x" : "f"} ${sha256} ${path}\0`);
  }
  return hash.digest("hex");
}
