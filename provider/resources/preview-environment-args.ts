import type * as pulumi from "@pulumi/pulumi";

/** What a program declares of a preview environment. */
export interface PreviewEnvironmentArgs {
  /** Id of the image that the session runs. A change recreates the environment. */
  readonly imageId: pulumi.Input<string>;
  /**
   * Labels of the session. They win over the labels `project`, `environment`, `request` and `commit`, which the component sets
   * itself. A change updates the session in place.
   *
   * @default only the component's own labels
   */
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Idle time after which AGB releases the session, in seconds. A change recreates the environment.
   *
   * @default 1800, the most that AGB recommends
   */
  readonly idleTimeoutSeconds?: pulumi.Input<number>;
  /**
   * Id of a policy from AGB's console, such as one that lets sessions live longer. A change recreates the environment.
   *
   * @default no policy
   */
  readonly policyId?: pulumi.Input<string>;
  /**
   * Whether each refresh, preview and update counts as use of the session. A change is stored in the state only.
   *
   * @default false
   */
  readonly keepAlive?: pulumi.Input<boolean>;
  /**
   * A context whose files outlive the session. A change recreates the environment.
   *
   * @default no files outlive the session
   */
  readonly cache?: PreviewCacheArgs;
  /**
   * Files and folders to put into the session, by their absolute path there: an asset for a file, an archive for a folder. A
   * change sends what differs, runs the commands of `setup` again, and restarts the app.
   *
   * @default no files
   */
  readonly files?: Readonly<Record<string, pulumi.Input<pulumi.asset.Asset | pulumi.asset.Archive>>>;
  /**
   * Commands that run one after the other, before the app starts. A change of one runs it and those after it again, and
   * restarts the app.
   *
   * @default no commands
   */
  readonly setup?: readonly (pulumi.Input<string> | PreviewSetupCommand)[];
  /** The app. A change restarts it. */
  readonly app: PreviewAppArgs;
}

/** A context for files that outlive the session. */
export interface PreviewCacheArgs {
  /** Absolute path in the session where the files are. */
  readonly path: pulumi.Input<string>;
  /**
   * Name of the context. It belongs to this environment alone, and a destroy deletes it.
   *
   * @default the names of the project, the stack and the component and the id of the stack, joined by hyphens
   */
  readonly name?: pulumi.Input<string>;
  /**
   * Id of a context that something else owns. Nothing here deletes it.
   *
   * @default a context of this environment
   */
  readonly contextId?: pulumi.Input<string>;
  /**
   * Whether to take over a context that already has the name, such as one that a killed run has left.
   *
   * @default true, and false if you set `name`
   */
  readonly adopt?: pulumi.Input<boolean>;
  /**
   * Whether a destroy also deletes the files. With `false`, a destroy fails while there are files.
   *
   * @default true
   */
  readonly forceDestroy?: pulumi.Input<boolean>;
}

/** A command that prepares the session. */
export interface PreviewSetupCommand {
  /** A script for the session's `sh`. */
  readonly command: pulumi.Input<string>;
  /**
   * Absolute path in the session.
   *
   * @default that of the app
   */
  readonly workingDirectory?: pulumi.Input<string>;
  /**
   * Environment variables, besides those of the session.
   *
   * @default none; those of the app are not set
   */
  readonly environment?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Time limit in seconds.
   *
   * @default 600
   */
  readonly timeoutSeconds?: pulumi.Input<number>;
}

/** A process that runs in the session and answers HTTP requests. */
export interface PreviewAppArgs {
  /** A script for the session's `sh` that runs until the app ends, such as `node server.js`. */
  readonly command: pulumi.Input<string>;
  /** Port on which the app listens, from 30100 to 30199. AGB links to no others. The app gets it in the variable `PORT`. */
  readonly port: number;
  /**
   * Path at which the app answers with a status from 200 to 299 when it works. A redirect does not count.
   *
   * @default "/"
   */
  readonly healthPath?: string;
  /**
   * Absolute path in the session. It must exist, for example as one of `files`.
   *
   * @default the home directory
   */
  readonly workingDirectory?: pulumi.Input<string>;
  /**
   * Environment variables, besides those of the session and `PORT`. Set `HOME` in `command` instead, because the folder with the
   * app's log is in the home directory.
   *
   * @default none
   */
  readonly environment?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * How long the app may take until it answers, in seconds, at most 3600.
   *
   * @default 60
   */
  readonly startTimeoutSeconds?: number;
}
