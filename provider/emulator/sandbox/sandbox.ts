import { mkdir } from "node:fs/promises";
import { posix } from "node:path";
import type { Interpreters } from "./interpreters";
import type { Keeper } from "./keeper";
import { type ProcessEnd, runProcess } from "./run-process";
import { resolveInside } from "./session-paths";
import { SessionProcesses } from "./session-processes";
import type { SessionView } from "./session-view";

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

/** The folder and the processes of one session. */
export class Sandbox {
  readonly processes: SessionProcesses;

  /** @param root absolute path on this computer; has to be made with `makeFolders` */
  constructor(
    readonly sessionId: string,
    readonly root: string,
    readonly surroundings: SandboxSurroundings,
  ) {
    this.processes = new SessionProcesses(`${markVariable}=${surroundings.mark}${sessionId}`, surroundings.keeper);
  }

  /** @param mountPaths absolute paths in the session */
  async makeFolders(mountPaths: readonly string[]): Promise<void> {
    await mkdir(this.root, { recursive: true });
    for (const folder of [homeDirectory, "/tmp", ...mountPaths]) {
      await mkdir(await this.resolve(folder), { recursive: true });
    }
  }

  /** Where a path of the session lies on this computer; a relative one starts at the home directory. */
  resolve(path: string, followsLast = true): Promise<string> {
    return resolveInside(this.root, posix.resolve(homeDirectory, path), followsLast);
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
    return runProcess(
      {
        commandLine: view.commandLine(this.root, directory, order.command),
        workingDirectory: view.isOwnRoot ? "/" : await this.resolve(directory),
        environment: {
          PATH: [...new Set([...programFolders, ...searchPath])].join(":"),
          HOME: this.pathInCommand(homeDirectory),
          TMPDIR: this.pathInCommand("/tmp"),
          USER: "user",
          LANG: "C.UTF-8",
          ...order.environment,
          [markVariable]: `${this.surroundings.mark}${this.sessionId}`,
        },
        timeLimitMs: Math.min(order.timeLimitMs ?? limits.timeLimitMs, limits.timeLimitMs),
        outputLimitBytes: limits.outputLimitBytes,
      },
      this.processes,
    );
  }
}

const searchPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
