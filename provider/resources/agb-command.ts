import * as pulumi from "@pulumi/pulumi";
import type { CommandState } from "../kinds/command";
import { typeTokens } from "../type-tokens";
import { checkConstruction, deletingFirst } from "./constructor-checks";
import { promiseOf } from "./output-promise";
import { providerReference } from "./reference";
import type { SeededOutputs } from "./seeded-outputs";
import { stackId } from "./stack-identity";

/** What a program declares of a command. */
export interface AgbCommandArgs {
  /**
   * Id of the session in which the command runs. A new session runs all its commands again, in the order of their
   * dependencies. A change replaces the command.
   */
  readonly sessionId: pulumi.Input<string>;
  /**
   * The command, a script for the session's `sh`. It runs once, when the resource is created, and again after a change if
   * there is no `update`. A change updates the command in place.
   */
  readonly create: pulumi.Input<string>;
  /**
   * The command that runs when an argument changes: `create`, `update`, `environment`, `stdin` or `workingDirectory`. A
   * change updates the command in place.
   *
   * @default `create` runs again
   */
  readonly update?: pulumi.Input<string>;
  /**
   * The command that runs when the resource is deleted or replaced. It does not run if the session is gone, or if `create`
   * has never succeeded. A delete uses the value in the state, so run `pulumi up` after you set it. A change is stored in the
   * state only.
   *
   * @default nothing runs
   */
  readonly delete?: pulumi.Input<string>;
  /**
   * Environment variables of the commands, besides those of the session. No list of processes shows them, and messages do
   * not repeat their values. A change updates the command in place.
   *
   * @default none
   */
  readonly environment?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * What the commands read from standard input. At most 1 MiB. A change updates the command in place.
   *
   * @default nothing
   */
  readonly stdin?: pulumi.Input<string>;
  /**
   * Values of any type. When one changes, the commands run again: first `delete`, then `create`. A change replaces the
   * command.
   *
   * @default none
   */
  readonly triggers?: pulumi.Input<unknown[]>;
  /**
   * Where the commands run: an absolute path in the session. The directory must exist. A change updates the command in place.
   *
   * @default the home directory
   */
  readonly workingDirectory?: pulumi.Input<string>;
  /**
   * Time limit of each command, in seconds, at most 86,400. A command that takes longer is ended with all that it has
   * started. A change is stored in the state only.
   *
   * @default 600
   */
  readonly timeoutSeconds?: pulumi.Input<number>;
  /**
   * Which output to show while a command runs. A change is stored in the state only.
   *
   * @default "stdoutAndStderr"
   */
  readonly logging?: pulumi.Input<"none" | "stdout" | "stderr" | "stdoutAndStderr">;
  /**
   * Whether the output of the commands is secret. Then it is not shown, errors do not quote it, and `stdout` and `stderr` are
   * secrets. A change is stored in the state only.
   *
   * @default false
   */
  readonly sensitive?: pulumi.Input<boolean>;
  /**
   * Whether `update` and `delete` get the output of the run before in PULUMI_COMMAND_STDOUT and PULUMI_COMMAND_STDERR. They
   * hold the last 120,000 bytes of it. A change is stored in the state only.
   *
   * @default true
   */
  readonly addPreviousOutputInEnv?: pulumi.Input<boolean>;
}

const words = {
  className: "AgbCommand",
  insteadOfImport: "a new resource, which runs its command",
  noLookup: { reason: "a command cannot be looked up, because it exists only in the state", code: "AGB911" },
  whyDeletingFirst: {
    reason: "is not possible: the old command and the new one would run in the same session",
    code: "AGB910",
  },
} as const;

const outputs: SeededOutputs<AgbCommand, CommandState> = {
  sessionId: undefined,
  stdout: undefined,
  stderr: undefined,
  exitCode: undefined,
};

/**
 * A command that runs once in a session, however long it takes. Its output is shown meanwhile.
 *
 * The arguments have the names and the meaning of Pulumi's command provider. A command that fails is an error. The resource
 * stays in the state, and the next `pulumi up` runs the command again. If Pulumi is killed meanwhile, the command goes on,
 * and the next `pulumi up` waits for the same run.
 *
 * The old command is always deleted before its replacement is created. The option `import` does not work. The option
 * `customTimeouts` has no effect: use `timeoutSeconds`.
 *
 * @example
 * import { AgbCommand, AgbSession } from "pulumi-agb";
 *
 * const web = new AgbSession("web", { imageId: "agb-code-space-1" });
 *
 * const build = new AgbCommand("build", {
 *   sessionId: web.sessionId,
 *   create: "mkdir -p app && date > app/built-at && cat app/built-at",
 *   delete: "rm -rf app",
 *   timeoutSeconds: 60,
 * });
 *
 * export const builtAt = build.stdout;
 */
export class AgbCommand extends pulumi.CustomResource {
  /** Id of the session in which the command ran. */
  declare readonly sessionId: pulumi.Output<string>;
  /**
   * Standard output of the last run that succeeded, without the line feed at its end. If it is longer than 1 MB, only the end
   * of it, and the first line says so. Bytes that are no UTF-8 are U+FFFD.
   */
  declare readonly stdout: pulumi.Output<string>;
  /** Standard error of the last run that succeeded, like `stdout`. */
  declare readonly stderr: pulumi.Output<string>;
  /** Exit code of the last run that succeeded, which is 0. */
  declare readonly exitCode: pulumi.Output<number>;

  /**
   * @param name name of the resource, unique in the stack; begins each line of output that is shown
   * @throws RunError when `opts.import` or `opts.id` is set: a command exists only in the state
   */
  constructor(name: string, args: AgbCommandArgs, opts: pulumi.CustomResourceOptions = {}) {
    checkConstruction(words, name, opts);
    // Whether it is secret must be known now. If only the provider will know, it is.
    const secretOutputs = args?.sensitive ? ["stdout", "stderr"] : [];
    super(
      typeTokens.command.dynamic,
      name,
      {
        ...outputs,
        ...args,
        stackId: stackId(),
        parent: urnOf(opts.parent),
        __resource: name,
        __provider: providerReference("command"),
      },
      pulumi.mergeOptions(deletingFirst(words, name, opts), { additionalSecretOutputs: secretOutputs }),
    );
  }
}

/**
 * Returns the URN of a resource. A promise, not an output: an output would make the command depend on everything in its parent,
 * which includes the command.
 */
async function urnOf(resource: pulumi.Resource | undefined): Promise<string | undefined> {
  return resource && promiseOf(resource.urn);
}
