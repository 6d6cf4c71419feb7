import { AgbNotFoundError } from "../api/errors";
import { type KnownSecret, valueSecrets } from "../api/known-secrets";
import { printable } from "../api/outside-text";
import {
  forgetRuns,
  type KeptOutput,
  type OutputName,
  type RunEnd,
  type RunIdentity,
  runIdentityOf,
} from "../lifecycle/command-run";
import { hasSucceeded, runAfter } from "../lifecycle/command-run-chain";
import {
  AbandonedCommandError,
  adviceForFailedCommand,
  codeOfFailedCommand,
  commandAdvice,
  describeFailedCommand,
  type FailedCommand,
  FailedDeleteError,
  spaceAdvice,
} from "./command-failure";
import { CommandProgress } from "./command-progress";
import { type CommandState, commandProperties, defaultTimeoutSeconds } from "./command-properties";
import { canonical } from "./diff";
import { type Call, type KindRuntime, type ResourceKind, UnfinishedResource } from "./kind";
import { MissingStackIdError } from "./stack-identity";
import { isUnknown } from "./unknown";

export { type CommandState, commandProperties } from "./command-properties";

/** Arguments whose change runs a command. */
const runningArguments = ["create", "update", "environment", "stdin", "workingDirectory"] as const;

/** How much a variable with the output of the run before holds, in bytes. Its name comes on top. */
const longestOutputBytes = 120_000;

const shownOutputs: Readonly<Record<NonNullable<CommandState["logging"]>, readonly OutputName[]>> = {
  none: [],
  stdout: ["stdout"],
  stderr: ["stderr"],
  stdoutAndStderr: ["stdout", "stderr"],
};

/** One run of a command of a resource. */
interface Run {
  readonly argument: "create" | "update" | "delete";
  readonly command: string;
  /** Token of the run before; empty for none. */
  readonly base: string;
  /** Variables besides the declared ones. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Makes the kind `AgbCommand` for one process. */
export function commandKind({ clock, creates }: KindRuntime): ResourceKind<CommandState> {
  /** Runs a command once and shows its output meanwhile. */
  async function run(call: Call, declared: Partial<CommandState>, { argument, command, base, variables }: Run) {
    const { sessionId = "", environment, stdin, workingDirectory, triggers, sensitive = false } = declared;
    const { logging = "stdoutAndStderr", timeoutSeconds = defaultTimeoutSeconds } = declared;
    // Nothing is sent after the run of Pulumi has ended. The command goes on, and the next `up` finds it.
    const client = call.client.untilAborted(creates.ended);
    const clean = (line: string, longest: number) => client.clean(line, longest);
    const say = (line: string) => call.say(call.resource === undefined ? line : `${printable(call.resource)}: ${line}`);
    const shown = sensitive ? [] : shownOutputs[logging];
    if (sensitive && logging !== "none") {
      say("the output is hidden, because the command is sensitive.");
    }
    const identify = (runBefore: string): RunIdentity =>
      runIdentityOf(ownerName(call, declared), [
        argument,
        runBefore,
        canonical([command, environment, stdin, workingDirectory, triggers]),
      ]);
    const spec = { command, environment: { ...variables, ...environment }, stdin, workingDirectory, timeoutSeconds };
    const progress = new CommandProgress({ shown, clock, clean, say });
    const { path, result } = await runAfter(
      client,
      sessionId,
      { identify, base, spec },
      {
        clock,
        onOutput: (name, bytes) => progress.add(name, bytes),
        onSkip: (name, bytes) => progress.skip(name, bytes),
        signal: creates.ended,
      },
    )
      .catch((error: unknown) => {
        throw creates.ended.aborted ? new AbandonedCommandError() : error;
      })
      .finally(() => progress.finish());
    const failed: FailedCommand | undefined = hasSucceeded(result)
      ? undefined
      : { argument, result, timeoutSeconds, isSensitive: sensitive, clean };
    return { path, result, failed };
  }

  /** A command may not care that it cannot write. Then nothing else says that its output is cut. */
  function warnOfFullDisk({ warn, resource }: Call, { isDiskFull }: RunEnd): void {
    if (isDiskFull) {
      const name = resource === undefined ? "" : `${printable(resource)}: `;
      warn(
        `${name}the disk of the session is full, so the output of the command may be incomplete. ${spaceAdvice}`,
        "AGB914",
      );
    }
  }

  /** Removes the runs that came before. The command has succeeded, whatever happens here. */
  async function forgetOthers({ client }: Call, sessionId: string, path: readonly RunIdentity[]): Promise<void> {
    const [owner] = path;
    if (owner !== undefined) {
      await forgetRuns(client, sessionId, owner, path).catch(() => {});
    }
  }

  async function create(call: Call, inputs: CommandState) {
    const declared = withStackId(inputs, {});
    const { path, result, failed } = await run(call, declared, {
      argument: "create",
      command: inputs.create,
      base: "",
    });
    if (failed !== undefined) {
      const state = { ...inputs, stdout: "", stderr: "", runToken: result.token, pending: "create" } as const;
      throw unfinished(result.token, state, failed);
    }
    warnOfFullDisk(call, result);
    await forgetOthers(call, inputs.sessionId, path);
    return { id: result.token, state: { ...inputs, ...outputsOf(result) } };
  }

  async function update(call: Call, id: string, olds: Partial<CommandState>, news: CommandState) {
    const declared = withStackId(news, olds);
    const { stdout = "", stderr = "", exitCode, runToken = "", pending } = olds;
    const known = { ...declared, stdout, stderr, exitCode, runToken };
    if (!mustRun(olds, news)) {
      return known;
    }
    const isFirst = pending === "create" || news.update === undefined;
    const argument = isFirst ? "create" : "update";
    const { path, result, failed } = await run(call, declared, {
      argument,
      command: (isFirst ? undefined : news.update) ?? news.create,
      base: runToken,
      variables: isFirst && pending === "create" ? {} : previousOutput(news, olds),
    });
    if (failed !== undefined) {
      const state = { ...known, runToken: result.token, pending: pending ?? "update" } as const;
      throw unfinished(id, state, failed);
    }
    warnOfFullDisk(call, result);
    await forgetOthers(call, news.sessionId, path);
    return { ...declared, ...outputsOf(result) };
  }

  async function remove(call: Call, _id: string, known: Partial<CommandState>) {
    const { sessionId = "", runToken = "", delete: command, pending } = known;
    const owner = runIdentityOf(ownerName(call, known), "");
    try {
      // A `create` that never succeeded has left nothing for `delete`.
      if (command === undefined || pending === "create") {
        await forgetRuns(call.client, sessionId, owner);
        return "deleted";
      }
      const { path, failed } = await run(call, known, {
        argument: "delete",
        command,
        base: runToken,
        variables: previousOutput(known, known),
      });
      if (failed !== undefined) {
        throw new FailedDeleteError(call.described, failed);
      }
      // This run stays: if Pulumi is killed now, the next `destroy` must find that it is done. All others must go, or a new
      // resource of the same name would take their results.
      await forgetRuns(call.client, sessionId, owner, path);
      return "deleted";
    } catch (error) {
      if (error instanceof AgbNotFoundError) {
        return "absent";
      }
      throw error;
    }
  }

  return {
    name: "AgbCommand",
    noun: "command",
    deleteVerb: "delete",
    properties: commandProperties,
    // The runs of the old resource must be gone, or the new one would take their results.
    differences: (olds) => ({
      isUnfinished: olds.pending !== undefined,
      ignored: ["stackId", "parent"],
      deleteBeforeReplace: true,
    }),
    secrets: secretsOf,
    // No run of another stack or of another resource has the same name.
    withOwner: (news, { stack, parentType }, olds) => ({
      ...news,
      stackId: olds["stackId"] ?? stack.id,
      ...(parentType !== undefined && { parent: olds["parent"] ?? parentType }),
    }),
    changingOutputs: (olds, news) => (mustRun(olds, news) ? ["stdout", "stderr", "exitCode"] : []),
    secretOutputs: ({ sensitive }) => (sensitive ? ["stdout", "stderr"] : []),
    advice: commandAdvice,
    create,
    // A command has nothing to read. When its session is gone, the id of the next session replaces it.
    read: async (_call, _id, known) => known,
    update,
    delete: remove,
  };
}

/** Whether an update runs a command. */
function mustRun(olds: Partial<CommandState>, news: CommandState): boolean {
  const hasChanged = runningArguments.some((name) => canonical(olds[name]) !== canonical(news[name]));
  return hasChanged || olds.pending !== undefined;
}

/** @throws MissingStackIdError */
function withStackId(news: CommandState, olds: Partial<CommandState>): CommandState {
  // The engine drops a value of an update that is not known.
  const stackId = (news.stackId as string | undefined) ?? olds.stackId;
  if (stackId === undefined || isUnknown(stackId)) {
    throw new MissingStackIdError();
  }
  return { ...news, stackId };
}

/** What no two commands of any stack have in common. */
function ownerName({ resource = "" }: Call, { stackId = "", parent = "" }: Partial<CommandState>): string[] {
  return ["AgbCommand", stackId, parent, resource];
}

function outputsOf({
  stdout,
  stderr,
  exitCode,
  token,
}: {
  readonly stdout: KeptOutput;
  readonly stderr: KeptOutput;
  readonly exitCode: number | undefined;
  readonly token: string;
}) {
  return { stdout: textOf(stdout), stderr: textOf(stderr), exitCode, runToken: token };
}

/**
 * The output as the state holds it: without the line feed at its end, as in Pulumi's command provider. Its first line says when
 * the beginning is missing.
 */
function textOf({ text, sizeBytes, isCut }: KeptOutput): string {
  const trimmed = text.replace(/\n$/, "");
  return isCut ? `[only the end of ${sizeBytes} bytes]\n${trimmed}` : trimmed;
}

function previousOutput(
  { addPreviousOutputInEnv = true }: Partial<CommandState>,
  { stdout = "", stderr = "" }: Partial<CommandState>,
): Record<string, string> {
  return addPreviousOutputInEnv
    ? { PULUMI_COMMAND_STDOUT: variable(stdout), PULUMI_COMMAND_STDERR: variable(stderr) }
    : {};
}

/** The end of an output, as long as a variable may be. */
function variable(output: string): string {
  const text = output.replaceAll("\0", "\ufffd");
  const bytes = Buffer.from(text);
  return bytes.length <= longestOutputBytes
    ? text
    : bytes
        .subarray(-longestOutputBytes)
        .toString("utf8")
        .replace(/^\ufffd+/, "");
}

function unfinished(id: string, state: Partial<CommandState>, failed: FailedCommand): UnfinishedResource<CommandState> {
  const reason = `${describeFailedCommand(failed)}${adviceForFailedCommand(failed)}`;
  return new UnfinishedResource(id, state, reason, codeOfFailedCommand(failed));
}

/** Any value may be secret: Pulumi does not say which ones are. */
function secretsOf({ environment = {}, stdin }: Partial<CommandState>): KnownSecret[] {
  return [
    ...Object.entries(environment).flatMap(([name, value]) => valueSecrets(value, `[${name}]`)),
    ...valueSecrets(stdin, "[stdin]"),
  ];
}
