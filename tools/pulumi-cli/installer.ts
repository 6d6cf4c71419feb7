/** What to install and where. */
export interface InstallRequest {
  /** The version to install, such as `3.245.0`. */
  version: string;
  /** An empty working folder. It is removed afterwards. */
  workDirectory: string;
  /** The environment variables to run with. */
  environment: NodeJS.ProcessEnv;
  /** Shows one line to the user. */
  report: (line: string) => void;
  /** Stops the installation when aborted. */
  signal?: AbortSignal;
}

/** A way to install the Pulumi CLI. */
export interface Installer {
  /** Source of the CLI. */
  origin: "vendor" | "go";
  /** Its name in messages. */
  title: string;
  /**
   * Installs the CLI.
   *
   * @returns a folder inside the work directory that contains only the CLI's programs
   * @throws Error when the installation fails
   */
  install(request: InstallRequest): Promise<string>;
}
