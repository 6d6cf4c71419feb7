import { mkdir } from "node:fs/promises";
import { posix } from "node:path";
import type { Interpreters } from "./interpreters";
import type { Keeper } from "./keeper";
import { type ProcessEnd, runProcess } from "./run-process";
import { type HeldFolder, holdFolder, makeHeldFolder, resolveInside } from "./session-paths";
import { SessionProcesses } from "./session-processes";
import type { SessionSpace, SessionView } from "./session-view";

/** Where a session's commands begin, and its HOME. */
export const homeDirectory = "/home/user";

/** Stands in the environment of every process that a session runs. */
export const markVariable = "AGB_EMULATOR_SESSION";

/** The most that a tool call may take and say. */
export interface ToolLimits {
  readonly timeLimitMs: number;
  readonly outputLimitBytes: number;
}

/** What all sandboxes of an emulator share. */
export interface SandboxSurroundings {
  readonly view: SessionView;
  readonly interpreters: Interpreters;
  readonly keeper: Keeper;
  /** Begins the value of `markVariable`, by which this emulator's processes are recognized; the session's id follows. */
  readonly mark: string;
  readonly limits: ToolLimits;
}

/** A command to run in a session. */
export interface CommandOrder {
  readonly command: readonly string[];
  /** Absolute path in the session. @default the home directory */
  readonly directory?: string | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Cut to the emulator's own limit. @default that limit */
  readonly timeLimitMs?: number | undefined;
}

/** How an entry of the session's file system is used. */
interface EntryUse {
  /** Whether a symbolic link at the end is followed. @default true */
  readonly followsLast?: boolean;
  /** Whether the folder of the entry is changed, and made first when it is missing. @default false */
  readonly changesFolder?: boolean;
}

/** The folder and the processes of one session. */
export class Sandbox {
  readonly #processes: SessionProcesses;
  #space: Promise<SessionSpace> | undefined;
  #isOver = false;

  /** @param root absolute path on this computer, without links; has to be made with `makeFolders` */
  constructor(
    readonly sessionId: string,
    readonly root: string,
    readonly surroundings: SandboxSurroundings,
  ) {
    const mark = `${markVariable}=${surroundings.mark}${sessionId}`;
    this.#processes = new SessionProcesses(mark, root, surroundings.keeper);
  }

  /** @param mountPaths absolute paths in the session; those that cannot be made are left out */
  async makeFolders(mountPaths: readonly string[]): Promise<void> {
    await mkdir(this.root, { recursive: true });
    for (const folder of [homeDirectory, "/tmp"]) {
      await this.makeFolder(folder);
    }
    for (const folder of mountPaths) {
      // A synchronization of the mount says why.
      await this.makeFolder(folder).catch(() => {});
    }
  }

  /**
   * Makes a folder and what leads to it; one that is there already is fine.
   *
   * @throws Error with a system error code
   */
  async makeFolder(path: string): Promise<void> {
    const folder = await this.#resolve(path);
    this.#requireWritable(folder.slice(this.root.length), false);
    await (await makeHeldFolder(this.root, folder)).close();
  }

  /**
   * Does something with an entry of the session's file system.
   *
   * @param path in the session; a relative one starts at the home directory
   * @param use is given where the entry lies on this computer, good until it is done
   * @throws Error with a system error code
   */
  async withEntry<Result>(
    path: string,
    use: (entry: string) => Promise<Result>,
    { followsLast = true, changesFolder = false }: EntryUse = {},
  ): Promise<Result> {
    const entry = await this.#resolve(path, followsLast);
    if (changesFolder) {
      this.#requireWritable(entry.slice(this.root.length));
    }
    const name = entry === this.root ? "." : posix.basename(entry);
    const hold = changesFolder ? makeHeldFolder : holdFolder;
    const folder = await hold(this.root, entry === this.root ? entry : posix.dirname(entry));
    try {
      if (changesFolder) {
        this.#requireWritable(posix.join(folder.path, name));
      }
      return await use(`${folder.here}/${name}`);
    } finally {
      await folder.close();
    }
  }

  /**
   * Opens a folder of the session; it has to be closed.
   *
   * @throws Error with a system error code
   */
  async openFolder(path: string): Promise<HeldFolder> {
    return holdFolder(this.root, await this.#resolve(path));
  }

  /** How a command of the session has to spell an absolute path of the session. */
  pathInCommand(path: string): string {
    return this.surroundings.view.pathFor(this.root, path);
  }

  /** @throws Error when the command cannot be started */
  async run(order: CommandOrder): Promise<ProcessEnd> {
    const { view, limits, interpreters } = this.surroundings;
    const directory = posix.resolve(homeDirectory, order.directory ?? "");
    const programFolders = [interpreters.javascript, interpreters.python ?? "/usr/bin/python3"].map(posix.dirname);
    const space = await this.#enter();
    const { commandLine, environment, workingDirectory } = space.prepare(directory, order.command, {
      PATH: [...new Set([...programFolders, ...searchPath])].join(":"),
      HOME: this.pathInCommand(homeDirectory),
      TMPDIR: this.pathInCommand("/tmp"),
      USER: "user",
      LANG: "C.UTF-8",
      ...order.environment,
      [markVariable]: `${this.surroundings.mark}${this.sessionId}`,
    });
    return runProcess(
      {
        commandLine,
        environment,
        workingDirectory: workingDirectory ?? (view.isOwnRoot ? "/" : await this.#resolve(directory)),
        timeLimitMs: Math.min(order.timeLimitMs ?? limits.timeLimitMs, limits.timeLimitMs),
        outputLimitBytes: limits.outputLimitBytes,
      },
      this.#processes,
    );
  }

  /** Ends everything that the session runs; nothing can be run in it afterwards. Resolves when it has ended. */
  async end(): Promise<void> {
    this.#isOver = true;
    const space = await this.#space?.catch(() => undefined);
    await space?.close();
    this.#processes.killAll();
  }

  // Made with the first command, and again when it has ended by itself: the computer may have run out of memory.
  async #enter(): Promise<SessionSpace> {
    for (let attempt = 0; attempt < mostEntries && !this.#isOver; attempt += 1) {
      this.#space ??= this.#open();
      const opening = this.#space;
      const space = await opening.catch((error: unknown) => {
        this.#space = undefined;
        throw error;
      });
      if (!space.isOver) {
        return space;
      }
      if (this.#space === opening) {
        this.#space = undefined;
      }
    }
    throw new Error(this.#isOver ? "the session is over" : "the session's processes end as soon as they begin");
  }

  async #open(): Promise<SessionSpace> {
    const space = await this.surroundings.view.open(this.root);
    if (space.group !== undefined) {
      this.#processes.add(space.group);
    }
    return space;
  }

  /** Where a path of the session lies on this computer. */
  #resolve(path: string, followsLast = true): Promise<string> {
    return resolveInside(this.root, posix.resolve(homeDirectory, path), followsLast);
  }

  // Commands see something of this computer there, and what the mounts lie on must stay where it is.
  #requireWritable(path: string, mayMove = true): void {
    const isShown = this.surroundings.view.readOnlyFolders.some(
      (folder) => `${path}/`.startsWith(`${folder}/`) || (mayMove && folder.startsWith(`${path}/`)),
    );
    if (isShown) {
      throw Object.assign(new Error(`EROFS: ${path} is read-only`), { code: "EROFS" });
    }
  }
}

const searchPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const mostEntries = 3;
