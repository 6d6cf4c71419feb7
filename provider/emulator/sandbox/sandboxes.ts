import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContextMount, SyncDirection } from "../contexts/context-record";
import { randomString } from "../identifiers";
import type { SessionRecord } from "../sessions/session";
import type { ContextMirror } from "./context-mirror";
import { findSessionView, plainViewWarning } from "./find-session-view";
import { findInterpreters } from "./interpreters";
import { Keeper } from "./keeper";
import { removeTree } from "./remove-tree";
import { markVariable, Sandbox, type SharedSandboxParts, type ToolLimits } from "./sandbox";
import { Turns } from "./turns";

/** Uploads the contexts of a session that is over, as far as their policies ask for it. Never rejects. */
type UploadAtEnd = (sessionId: string, mounts: readonly ContextMount[]) => Promise<void>;

/** A sandbox that is being ended. */
interface Ending {
  readonly mounts: readonly ContextMount[];
  readonly done: Promise<void>;
}

/**
 * The sandboxes of all sessions. A session's folder is created when the session first needs it. When the session is over,
 * its contexts are uploaded and the folder is removed. Folders outlive the emulator where the sessions do.
 */
export class Sandboxes {
  readonly #opening = new Map<string, Promise<Sandbox>>();
  readonly #mounts = new Map<string, readonly ContextMount[]>();
  readonly #ending = new Map<string, Ending>();
  // One session's copies share a record of its files. And a folder that is removed during an upload would look as if the
  // session had deleted its files.
  readonly #fileTurns = new Turns();
  #shared: Promise<SharedSandboxParts> | undefined;
  readonly #isTemporary: boolean;
  #folder: string | undefined;
  #isClosed = false;

  /** @param folder absolute path, where the sessions' folders are; undefined for a temporary folder, which `close` removes */
  constructor(
    folder: string | undefined,
    private readonly limits: ToolLimits,
    private readonly mirror: ContextMirror,
    private readonly uploadAtEnd: UploadAtEnd,
  ) {
    this.#folder = folder;
    this.#isTemporary = folder === undefined;
  }

  /** The sandbox of a running session. */
  open(sessionId: string, mounts: readonly ContextMount[] = []): Promise<Sandbox> {
    if (this.#isClosed) {
      return Promise.reject(new Error("the emulator is closing"));
    }
    let opening = this.#opening.get(sessionId);
    if (opening === undefined) {
      opening = this.#create(sessionId, mounts);
      this.#opening.set(sessionId, opening);
      this.#mounts.set(sessionId, mounts);
      opening.catch(() => this.#opening.delete(sessionId));
    }
    return opening;
  }

  /**
   * Copies the files of a mount, after all earlier copies of the session. If the session is over, the files come from what
   * is left of it.
   */
  async copyFiles(session: Pick<SessionRecord, "sessionId" | "mounts">, mount: ContextMount, direction: SyncDirection) {
    await this.#fileTurns.take(session.sessionId, async () => {
      const sandbox = await this.open(session.sessionId, session.mounts);
      await (direction === "upload" ? this.mirror.upload(sandbox, mount) : this.mirror.download(sandbox, mount));
    });
  }

  /**
   * Ends the sandboxes of sessions that are over: kills what they run, uploads their contexts, removes their folders.
   * Resolves when no sandbox is being ended any more.
   */
  async endAll(isOver: (sessionId: string) => boolean): Promise<void> {
    for (const sessionId of this.#known()) {
      if (isOver(sessionId) && !this.#ending.has(sessionId) && !this.#isClosed) {
        const mounts = this.#mountsOf(sessionId);
        const done = this.#end(sessionId, mounts).finally(() => this.#ending.delete(sessionId));
        this.#ending.set(sessionId, { mounts, done });
      }
    }
    await this.#ended();
  }

  /** Resolves when no session that is over still uploads into one of the contexts. */
  async waitForUploadsInto(contextIds: readonly string[]): Promise<void> {
    await this.#ended(({ mounts }) => mounts.some(({ contextId }) => contextIds.includes(contextId)));
  }

  async #ended(isMeant: (ending: Ending) => boolean = () => true): Promise<void> {
    if (this.#ending.size > 0) {
      await Promise.all([...this.#ending.values()].filter(isMeant).map(({ done }) => done));
    }
  }

  /** Removes all sandboxes without uploading anything. */
  async clear(): Promise<void> {
    await this.#ended();
    for (const sessionId of this.#known()) {
      await this.#kill(sessionId);
      await this.#remove(sessionId);
    }
  }

  /** Kills everything that sessions run. Folders are kept for the next start, or removed when they are temporary. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#ended();
    await Promise.all([...this.#opening.keys()].map((sessionId) => this.#kill(sessionId)));
    await (await this.#shared?.catch(() => undefined))?.keeper.close();
    if (this.#isTemporary && this.#folder !== undefined) {
      await removeTree(this.#folder);
    }
  }

  // Those that an earlier emulator left behind are among them.
  #known(): Set<string> {
    if (this.#left === undefined) {
      const folder = this.#folder;
      this.#left = folder !== undefined && existsSync(folder) ? readdirSync(folder) : [];
    }
    return new Set([...this.#opening.keys(), ...this.#left]);
  }
  #left: string[] | undefined;

  async #create(sessionId: string, mounts: readonly ContextMount[]): Promise<Sandbox> {
    this.#shared ??= this.#prepare();
    const shared = await this.#shared;
    const folder = this.#folderOf(sessionId);
    await mkdir(folder, { recursive: true });
    const sandbox = new Sandbox(sessionId, join(folder, "root"), shared);
    await sandbox.makeFolders(mounts.map((mount) => mount.path));
    await writeFile(join(folder, "mounts.json"), JSON.stringify(mounts), { mode: 0o600 });
    return sandbox;
  }

  /** What a user has to know if sessions are not isolated from this computer; undefined if they are. */
  async warning(): Promise<string | undefined> {
    this.#shared ??= this.#prepare();
    return (await this.#shared).view.isOwnRoot ? undefined : plainViewWarning;
  }

  async #prepare(): Promise<SharedSandboxParts> {
    const folder = this.#folder ?? mkdtempSync(join(tmpdir(), "agb-emulator-sessions-"));
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // The kernel reports paths without links.
    this.#folder = realpathSync(folder);
    const mark = `${randomString(20)}/`;
    const keeper = new Keeper(`${markVariable}=${mark}`, this.#folder, this.#isTemporary);
    const interpreters = await findInterpreters();
    const programs = [interpreters.javascript, ...(interpreters.python === undefined ? [] : [interpreters.python])];
    return { view: await findSessionView(programs), interpreters, keeper, mark, limits: this.limits };
  }

  async #end(sessionId: string, mounts: readonly ContextMount[]): Promise<void> {
    await this.#kill(sessionId);
    await this.uploadAtEnd(sessionId, mounts);
    await this.#remove(sessionId);
  }

  async #kill(sessionId: string): Promise<void> {
    const sandbox = await this.#opening.get(sessionId)?.catch(() => undefined);
    await sandbox?.end();
  }

  async #remove(sessionId: string): Promise<void> {
    await this.#fileTurns.take(sessionId, async () => {
      this.#opening.delete(sessionId);
      this.#mounts.delete(sessionId);
      this.#left = this.#left?.filter((left) => left !== sessionId);
      // The next start removes what cannot be removed now.
      await removeTree(this.#folderOf(sessionId)).catch(() => {});
    });
  }

  #mountsOf(sessionId: string): readonly ContextMount[] {
    const mounts = this.#mounts.get(sessionId);
    if (mounts !== undefined) {
      return mounts;
    }
    try {
      return JSON.parse(readFileSync(join(this.#folderOf(sessionId), "mounts.json"), "utf8")) as ContextMount[];
    } catch {
      return [];
    }
  }

  #folderOf(sessionId: string): string {
    return join(this.#folder as string, sessionId);
  }
}
