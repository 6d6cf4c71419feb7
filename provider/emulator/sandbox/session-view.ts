/** How the commands of sessions are started. */
export interface SessionView {
  /** Whether commands see the session's folder as the root of the file system, and only processes of their session. */
  readonly isOwnRoot: boolean;
  /** Folders of the session that show the computer's own, read-only. */
  readonly readOnlyFolders: readonly string[];
  /**
   * Prepares the place in which a session's commands run.
   *
   * @param root absolute path of the session's folder on this computer
   * @throws Error when it cannot be made
   */
  open(root: string): Promise<SessionSpace>;
  /** How a command has to spell an absolute path of the session. */
  pathFor(root: string, path: string): string;
}

/** The place in which the commands of one session run. */
export interface SessionSpace {
  /** Whether it has ended, so that nothing more can be started in it. */
  readonly isOver: boolean;
  /** The process group on this computer that keeps it; undefined when there is none. */
  readonly group: number | undefined;
  /** How to start a command in it. @param directory absolute path in the session */
  prepare(directory: string, command: readonly string[], environment: Readonly<Record<string, string>>): SpawnParts;
  /** Ends every process in it, whatever it did to stay; resolves when none is left. */
  close(): Promise<void>;
}

/** What it takes to start a process on this computer. */
export interface SpawnParts {
  readonly commandLine: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** undefined for the command's own directory. */
  readonly workingDirectory: string | undefined;
}
