/** What an installer is asked to do. */
export interface InstallRequest {
  /** The version to install, such as `3.245.0`. */
  version: string;
  /** An empty folder to work in. It is removed afterwards. */
  workDirectory: string;
  /** The environment variables to run with. */
  environment: NodeJS.ProcessEnv;
  /** Takes one line to show to the user. */
  report: (line: string) => void;
  /** Ends the installation when aborted. */
  signal?: AbortSignal;
}

/** A way to install the Pulumi CLI. */
export interface Installer {
  /** Where its CLI comes from. */
  origin: "vendor" | "go";
  /** What it does, in a few words for messages. */
  title: string;
  /**
   * Installs the CLI and returns the folder, inside the work directory, that holds its programs and nothing else.
   *
   * @throws Error with the reason when it cannot.
   */
  install(request: InstallRequest): Promise<string>;
}
