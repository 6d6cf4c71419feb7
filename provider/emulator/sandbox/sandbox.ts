import { mkdir } from "node:fs/promises";
import { posix } from "node:path";
import type { Interpreters } from "./interpreters";
import type { Keeper } from "./keeper";
import { type ProcessEnd, runProcess } from "./run-process";
import { type HeldFolder, holdFolder, makeHeldFolder, resolveInside } from "./session-paths";
import { SessionProcesses } from "./session-processes";
import type { SessionSpace, SessionView } from "./session-view";

/** The working directory of a session's commands, and their HOME. */
export const homeDirectory = "/home/user";

/** Is in the environment of every process that a session runs. */
export const markVariable = "AGB_EMULATOR_SESSION";

/** The limits of a tool call. */
export interface ToolLimits {
  readonly timeLimitMs: number;
  readonly outputLimitBytes: number;
}

/** What all sandboxes of an emulator share. */
export interface SharedSandboxParts {
  readonly view: SessionView;
  readonly interpreters: Interpreters;
  readonly keeper: Keeper;
  /** The value of `markVariable` without the session's id, which follows. It identifies this emulator's processes. */
  readonly mark: string;
  readonly limits: ToolLimits;
}

/** A command to run in a session. */
export interface CommandOptions {
  readonly command: readonly string[];
  /** Absolute path in the session. @default the home directory */
  readonly directory?: string | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** At most the emulator's own limit. @default that limit */
  readonly timeLimitMs?: number | undefined;
}

/** How an entry of the session's file system is used. */
interface EntryUse {
  /** Whether a symbolic link at the end is followed. @default true */
  readonly followsLast?: boolean;
  /** Whether the use changes the entry's folder, which is created first if it is missing. @default false */
  readonly changesFolder?: boolean;
}

/** The folder and the processes of one session. */
export class Sandbox {
  readonly #processes: SessionProcesses;
  #space: Promise<SessionSpace> | undefined;
  #isOver = false;

  /** @param root absolute path on this computer, without links. `makeFolders` creates it. */
  constructor(
    readonly sessionId: string,
    readonly root: string,
    readonly shared: SharedSandboxParts,
  ) {
    const mark = `${markVariable}=${shared.mark}${sessionId}`;
    this.#processes = new SessionProcesses(mark, root, shared.keeper);
  }

  /**
   * Creates the folders that every session has, and those of its mounts.
   *
   * @param mountPaths absolute paths in the session; those that cannot be created are left out
   */
  async makeFolders(mountPaths: readonly string[]): Promise<void> {
    await mkdir(this.root, { recursive: true });
    for (const folder of [homeDirectory, "/tmp"]) {
      await this.makeFolder(folder);
    }
    for (const folder of mountPaths) {
      // The synchronization of the mount reports why.
      await this.makeFolder(folder).catch(() => {});
    }
  }

  /**
   * Creates a folder and the folders above it, unless they exist.
   *
   * @throws Error with a system error code
   */
  async makeFolder(path: string): Promise<void> {
    const folder = await this.#resolve(path);
    this.#requireWritable(folder.slice(this.root.length), false);
    await (await makeHeldFolder(this.root, folder)).close();
  }

  /**
   * Uses an entry of the session's file system.
   *
   * @param path in the session; a relative one starts at the home directory
   * @param use is called with the entry's path on this computer, which is valid until it returns
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
   * Opens a folder of the session. The caller has to close it.
   *
   * @throws Error with a system error code
   */
  async openFolder(path: string): Promise<HeldFolder> {
    return holdFolder(this.root, await this.#resolve(path));
  }

  /** The path under which a command of the session finds an absolute path of the session. */
  pathInCommand(path: string): string {
    return this.shared.view.pathFor(this.root, path);
  }

  /** @throws Error when the command cannot be started */
  async run(options: CommandOptions): Promise<ProcessEnd> {
    const { view, limits, interpreters } = this.shared;
    const directory = posix.resolve(homeDirectory, options.directory ?? "");
    const programFolders = [interpreters.javascript, interpreters.python ?? "/usr/bin/python3"].map(posix.dirname);
    const space = await this.#enter();
    const { commandLine, environment, workingDirectory } = space.prepare(directory, options.command, {
      PATH: [...new Set([...programFolders, ...searchPath])].join(":"),
      HOME: this.pathInCommand(homeDirectory),
      TMPDIR: this.pathInCommand("/tmp"),
      USER: "user",
      LANG: "C.UTF-8",
      ...options.environment,
      [markVariable]: `${this.shared.mark}${this.sessionId}`,
    });
    return runProcess(
      {
        commandLine,
        environment,
        workingDirectory: workingDirectory ?? (view.isOwnRoot ? "/" : await this.#resolve(directory)),
        timeLimitMs: Math.min(options.timeLimitMs ?? limits.timeLimitMs, limits.timeLimitMs),
        outputLimitBytes: limits.outputLimitBytes,
      },
      this.#processes,
    );
  }

  /** Ends everything that the session runs and refuses new commands. Resolves when all has ended. */
  async end(): Promise<void> {
    this.#isOver = true;
    const space = await this.#space?.catch(() => undefined);
    await space?.close();
    this.#processes.killAll();
  }

  // Created with the first command, and again if it has ended by itself, for instance because memory ran out.
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
    const space = await this.shared.view.open(this.root);
    if (space.group !== undefined) {
      this.#processes.add(space.group);
    }
    return space;
  }

  /** The place of a session's path on this computer. */
  #resolve(path: string, followsLast = true): Promise<string> {
    return resolveInside(this.root, posix.resolve(homeDirectory, path), followsLast);
  }

  // Commands see folders of this computer there, and what these are mounted on must stay in place.
  #requireWritable(path: string, mayMove = true): void {
    const isShown = this.shared.view.readOnlyFolders.some(
      (folder) => `${path}/`.startsWith(`${folder}/`) || (mayMove && folder.startsWith(`${path}/`)),
    );
    if (isShown) {
      throw Object.assign(new Error(`EROFS: ${path} is read-only`), { code: "EROFS" });
    }
  }
}

const searchPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const mostEntries = 3;
