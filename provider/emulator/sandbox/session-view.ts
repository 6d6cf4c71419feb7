/** How the commands of sessions are started. */
export interface SessionView {
  /** Whether commands see the session's folder as the root of the file system, and only processes of their session. */
  readonly isOwnRoot: boolean;
  /** Folders of the session that show this computer's, read-only. */
  readonly readOnlyFolders: readonly string[];
  /**
   * Prepares the place in which a session's commands run.
   *
   * @param root absolute path of the session's folder on this computer
   * @throws Error when that is not possible
   */
  open(root: string): Promise<SessionSpace>;
  /** The path under which a command finds an absolute path of the session. */
  pathFor(root: string, path: string): string;
}

/** The place in which the commands of one session run. */
export interface SessionSpace {
  /** Whether it has ended. Then nothing can be started in it. */
  readonly isOver: boolean;
  /** The process group on this computer that keeps it; undefined if there is none. */
  readonly group: number | undefined;
  /** How to start a command in it. @param directory absolute path in the session */
  prepare(directory: string, command: readonly string[], environment: Readonly<Record<string, string>>): SpawnParts;
  /** Ends every process in it, whatever they did to survive. Resolves when none is left. */
  close(): Promise<void>;
}

/** How to start a process on this computer. */
export interface SpawnParts {
  readonly commandLine: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Undefined for the command's own directory. */
  readonly workingDirectory: string | undefined;
}
