/**
 * Files that a program puts into a session. Content and names travel as files, packed and in parts, so that each call may be
 * repeated and only what differs is sent. `file-scripts.ts` says what the session does with them.
 */
import { createHash, randomBytes } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { AgbClient } from "../api/client";
import { CleanError } from "../api/errors";
import { printable } from "../api/outside-text";
import {
  applyScript,
  checkScript,
  discardScript,
  type FileSet,
  keptFolder,
  modeOf,
  namesIn,
  prepareScript,
  removeScript,
  runApply,
  runCheck,
  runKeptCheck,
  type SentFiles,
  type SentScript,
} from "./file-scripts";
import { contentOf } from "./local-files";
import {
  AgbToolError,
  longestContentBytes,
  runShellScript,
  type ShellResult,
  saysDiskIsFull,
  writeSessionFile,
} from "./session-shell";
import { packTar } from "./tar";

/** Why files could not be put, read or removed. */
export type FileFault = "programs" | "denied" | "blocked" | "full" | "failed";

/** A session refused files. */
export class AgbSessionFileError extends CleanError {
  constructor(
    readonly fault: FileFault,
    message: string,
  ) {
    super(message);
  }
}

/** What a session holds of a set of files. */
export interface FoundFiles {
  /** What was put last, see `LocalFiles`. */
  readonly contentHash: string;
  /** Permission bits that were put last. */
  readonly mode: number;
  /** Whether all of it is as it was put. */
  readonly isIntact: boolean;
  /** A hash of what is there now. The same state always has the same hash. */
  readonly actualHash: string;
  /** Hash and permission bits of a single file that exists. */
  readonly single: { readonly sha256: string; readonly mode: number } | undefined;
}

// Scripts unpack and hash everything that was sent. AGB's own calls last at most a minute.
const scriptTimeoutMs = 55_000;
/** How many parts are sent at the same time. */
const parallelParts = 4;
// As Base64 it has the longest length that one call takes. A multiple of three, so that parts can be joined.
const partBytes = Math.floor((longestContentBytes * 3) / 4 / 3) * 3;

/**
 * Puts a set of files into a session. Sends only files that differ from what is there, and removes those that an earlier set
 * of the same path has put and this one lacks.
 *
 * @param onChange called right before the first call that changes a file
 * @throws AgbNotFoundError when the session is gone
 * @throws AgbSessionFileError when the session cannot take the files
 * @throws AgbToolError when a tool of the session fails
 * @throws AgbFileSourceError when a local file has changed
 */
export async function putFiles(
  client: AgbClient,
  sessionId: string,
  set: FileSet,
  onChange: () => void = () => {},
): Promise<void> {
  const kept = keptFolder(set.path);
  const attempt = `a.${randomBytes(8).toString("hex")}`;
  const session = new FileSession(client, sessionId, `${kept}/${attempt}`);
  await session.prepare(kept, attempt);
  try {
    const check = await session.sendScript("check", checkScript(set, kept));
    const sent = filesToSend(await session.run(runCheck(kept, attempt, check)), set, session);
    if (sent.length > 0) {
      await session.send("content", packTar(entriesOf(set, sent)));
    }
    const apply = await session.sendScript("apply", applyScript(set, sent, kept, attempt));
    onChange();
    const result = await session.run(runApply(kept, attempt, apply));
    requireDone(result, set, session);
  } catch (error) {
    if (error instanceof AgbSessionFileError || error instanceof AgbToolError) {
      await session.run(discardScript(kept, attempt)).catch(() => {});
    }
    throw error;
  }
}

/**
 * Compares the files of a session with what was put there.
 *
 * @returns `undefined` when the session does not know that any were put
 * @throws AgbNotFoundError when the session is gone
 * @throws AgbSessionFileError when the session cannot compare them
 */
export async function findFiles(client: AgbClient, sessionId: string, path: string): Promise<FoundFiles | undefined> {
  const kept = keptFolder(path);
  const session = new FileSession(client, sessionId, kept);
  const result = await session.run(runKeptCheck(kept));
  const lines = linesOf(result);
  if (lines.at(-1)?.[0] === "failed") {
    throw session.failure("the session's files could not be compared", result);
  }
  const found = new Map(lines.map(([word = "", ...rest]) => [word, rest]));
  const [contentHash, mode] = found.get("set") ?? [];
  if (!found.has("end") || contentHash === undefined || mode === undefined) {
    return undefined;
  }
  const [sha256, actualMode] = found.get("one") ?? [];
  return {
    contentHash,
    mode: Number.parseInt(mode, 8),
    isIntact: !["gone", "way", "absent", "folder", "need"].some((word) => found.has(word)),
    actualHash: found.get("actual")?.[0] ?? "",
    single: sha256 && actualMode ? { sha256, mode: Number.parseInt(actualMode, 8) } : undefined,
  };
}

/**
 * Removes the files that were put for a path, and the folders that were made for them and are empty. Files of others stay.
 *
 * @returns whether the session knew what was put
 * @throws AgbNotFoundError when the session is gone
 * @throws AgbSessionFileError when a file cannot be removed
 */
export async function removeFiles(client: AgbClient, sessionId: string, path: string): Promise<boolean> {
  const session = new FileSession(client, sessionId, keptFolder(path));
  const result = await session.run(removeScript(keptFolder(path)));
  const [[word] = []] = linesOf(result).slice(-1);
  if (word !== "done" && word !== "none") {
    throw session.failure("not all files could be removed", result);
  }
  return word === "done";
}

/** Sends things to a folder of a session and runs scripts there. */
class FileSession {
  /** @param folder relative to the session's root */
  constructor(
    private readonly client: AgbClient,
    private readonly sessionId: string,
    private readonly folder: string,
  ) {}

  /** Makes the folder of an attempt. */
  async prepare(kept: string, attempt: string): Promise<void> {
    const result = await this.run(prepareScript(kept, attempt));
    if (!linesOf(result).some(([word]) => word === "ready")) {
      throw this.failure("/tmp cannot be written", result);
    }
  }

  async sendScript(name: string, script: string): Promise<SentScript> {
    await this.send(name, [Buffer.from(script)]);
    return { name, sha256: createHash("sha256").update(script).digest("hex") };
  }

  /** Packs content and sends it in parts, each to a file of its own. Holds only a few parts in memory. */
  async send(name: string, content: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
    const failures: unknown[] = [];
    const sendAll = async (packed: AsyncIterable<Buffer>) => {
      const sending = new Set<Promise<void>>();
      let number = 0;
      for await (const part of partsOf(packed)) {
        const path = `/${this.folder}/${name}/${String(number).padStart(6, "0")}`;
        number += 1;
        const sent: Promise<void> = this.write(path, part)
          .catch((error: unknown) => void failures.push(error))
          .finally(() => sending.delete(sent));
        sending.add(sent);
        if (sending.size >= parallelParts) {
          await Promise.race(sending);
        }
        if (failures.length > 0) {
          break;
        }
      }
      await Promise.all(sending);
    };
    await pipeline(content, createGzip(), sendAll).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) {
      throw failures[0];
    }
  }

  /** Runs a script in the session's root. */
  async run(script: string): Promise<ShellResult> {
    const options = { script, directory: "/", timeoutMs: scriptTimeoutMs };
    const result = await runShellScript(this.client, this.sessionId, options);
    const missing = linesOf(result).flatMap(([word, program]) => (word === "missing" && program ? [program] : []));
    if (missing.length > 0) {
      const programs = missing.map((program) => printable(program, 20)).join(", ");
      throw new AgbSessionFileError("programs", `the session lacks ${programs}`);
    }
    return result;
  }

  /** The error for a script that failed. A full disk is named before all else. */
  failure(what: string, { stdout, stderr, exitCode }: ShellResult): AgbSessionFileError {
    const silence = exitCode === 0 ? "" : `it ended with exit code ${exitCode}`;
    const reason = this.client.clean((stderr || stdout).trim()) || silence;
    return saysDiskIsFull(stderr)
      ? fullDisk(reason)
      : new AgbSessionFileError("failed", `${what}${reason === "" ? "" : `: ${reason}`}`);
  }

  private async write(path: string, part: Buffer): Promise<void> {
    const content = part.toString("base64");
    try {
      await writeSessionFile(this.client, this.sessionId, path, content);
    } catch (error) {
      // A server may repeat what it was sent, and that may be secret.
      if (error instanceof Error && error.message.includes(content.slice(0, 24))) {
        throw new AgbSessionFileError("failed", "a call failed, and its reply repeats the content");
      }
      if (error instanceof AgbToolError && saysDiskIsFull(error.message)) {
        throw fullDisk(error.message);
      }
      throw error;
    }
  }
}

function fullDisk(reason: string): AgbSessionFileError {
  return new AgbSessionFileError("full", `the disk of the session is full: ${reason}`);
}

async function* partsOf(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  for await (const chunk of packed) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= partBytes) {
      yield held.subarray(0, partBytes);
      held = held.subarray(partBytes);
    }
  }
  if (held.length > 0) {
    yield held;
  }
}

function linesOf({ stdout }: ShellResult): string[][] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" "));
}

const firstNumber = 100_000;

function filesToSend(result: ShellResult, set: FileSet, session: FileSession): SentFiles {
  const lines = linesOf(result);
  if (lines.at(-1)?.[0] !== "end") {
    throw session.failure("the session's files could not be compared", { ...result, stdout: "" });
  }
  const sent = lines
    .filter(([word]) => word === "need")
    .flatMap(([, first, last]) => {
      const [from, to] = [Number(first) - firstNumber, Number(last) - firstNumber];
      return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
    })
    .filter((index) => index in set.local.files);
  for (const [word, place] of lines) {
    if (word === "denied" && (sent.length > 0 || lines.some(([other]) => other === "gone" || other === "absent"))) {
      const reason = `the session's user may not write to ${placeName(set, word, place)}`;
      throw new AgbSessionFileError("denied", reason);
    }
    // What an earlier set has put in the way is removed first.
    if ((word === "way" || word === "folder") && (place === "root" || lines.some(([other]) => other === "fresh"))) {
      throw inTheWay(set, word, place);
    }
  }
  return sent;
}

function requireDone(result: ShellResult, set: FileSet, session: FileSession): void {
  const [word, place] = linesOf(result).at(-1) ?? [];
  if (word === "done") {
    return;
  }
  if (word === "way" || word === "folder") {
    throw inTheWay(set, word, place);
  }
  const what =
    word === "damaged" ? "what arrived in the session is not what was sent" : "the files could not be put in place";
  throw session.failure(what, { ...result, stdout: "" });
}

function inTheWay(set: FileSet, word: string, place: string | undefined): AgbSessionFileError {
  const name = placeName(set, word, place);
  const reason =
    word === "folder"
      ? `${name} is a folder, where a file should be`
      : `${name} is a file or a link, where a folder should be`;
  return new AgbSessionFileError("blocked", reason);
}

/** The path in the session that a line of a script is about. */
function placeName(set: FileSet, word: string, place: string | undefined): string {
  const index = Number(place) - firstNumber;
  const names = word === "folder" ? namesIn(set) : set.local.folders;
  const name = set.local.isFolder ? names[index] : undefined;
  return `"${printable(name === undefined ? set.path : `${set.path}/${name}`)}"`;
}

function* entriesOf(set: FileSet, sent: SentFiles) {
  const names = namesIn(set);
  for (const index of sent) {
    const file = set.local.files[index];
    if (file !== undefined) {
      yield {
        name: names[index] as string,
        sizeBytes: file.sizeBytes,
        mode: modeOf(set, set.local.isFolder && file.isExecutable),
        content: () => contentOf(file),
      };
    }
  }
}
