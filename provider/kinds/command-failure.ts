import { AgbNotFoundError, AgbTimeoutError, CleanError } from "../api/errors";
import { AgbRunError, type KeptOutput, type RunResult } from "../lifecycle/command-run";
import { AgbToolError } from "../lifecycle/session-shell";
import type { MessageCode } from "../messages/message-codes";
import type { CommandState } from "./command-properties";
import { ResourceError } from "./hosted-kind";
import type { ResourceKind } from "./kind";

/** A command that ran and did not succeed. */
export interface FailedCommand {
  /** Such as `create`. */
  readonly argument: "create" | "update" | "delete";
  readonly result: RunResult;
  readonly timeoutSeconds: number;
  readonly isSensitive: boolean;
  /** Makes a line safe to print. */
  clean(line: string, longest: number): string;
}

/** How much of an output an error shows. */
const shownLines = 20;
const longestLine = 500;
const shownCharacters = 4_000;

/** Says how a command failed, with the end of what it wrote. Secrets are left out. What follows begins where this ends. */
export function describeFailedCommand({ argument, result, timeoutSeconds, isSensitive, clean }: FailedCommand): string {
  const command = `the command \`${argument}\``;
  switch (result.reason) {
    case "no directory":
      return `${command} did not run, because its workingDirectory does not exist in the session. `;
    case "no space":
      return `${command} did not run, because the disk of the session is full: nothing can be written to /tmp. `;
    default: {
      const end = {
        exited: `ended with exit code ${result.exitCode}`,
        "timed out": `did not end within ${timeoutSeconds} s, so it was ended with all that it started`,
        killed: "was killed, so its exit code is not known",
      }[result.reason];
      const disk = result.isDiskFull ? " Now the disk of the session is full, so output may be missing." : "";
      return `${command} ${end}.${disk}${quoteEnd(result, isSensitive, clean)}`;
    }
  }
}

function quoteEnd({ stdout, stderr }: RunResult, isSensitive: boolean, clean: FailedCommand["clean"]): string {
  const [name, output] =
    stderr.text.trim() === "" ? (["standard output", stdout] as const) : (["standard error", stderr] as const);
  if (output.text.trim() === "") {
    return " It wrote nothing. ";
  }
  return isSensitive
    ? " Its output is hidden, because the command is sensitive. "
    : ` The end of its ${name}:\n${lastLines(output, clean)}\n`;
}

function lastLines({ text }: KeptOutput, clean: FailedCommand["clean"]): string {
  // A secret can only be recognized before it is cut.
  const lines = text.trimEnd().split(/\r?\n/).slice(-shownLines);
  const shown = lines.map((line) => `  ${clean(line, longestLine)}`);
  while (shown.length > 1 && shown.join("\n").length > shownCharacters) {
    shown.shift();
  }
  return shown.join("\n");
}

/** The code of a command that failed. */
export function codeOfFailedCommand({ argument, result }: FailedCommand): MessageCode {
  if (result.isDiskFull && argument !== "delete") {
    return "AGB914";
  }
  switch (result.reason) {
    case "no directory":
      return "AGB904";
    case "no space":
      return "AGB914";
    case "timed out":
      return argument === "delete" ? "AGB907" : "AGB902";
    case "killed":
      return argument === "delete" ? "AGB907" : "AGB903";
    case "exited":
      return argument === "delete" ? "AGB907" : "AGB901";
  }
}

/** What to do when nothing can be written in a session. */
export const spaceAdvice = "Free some space in the session, or recreate it.";

/** What to do about a failed `create` or `update`. */
export function adviceForFailedCommand({ argument, result }: FailedCommand): string {
  if (result.isDiskFull) {
    return `${spaceAdvice} The next \`pulumi up\` runs \`${argument}\` again.`;
  }
  switch (result.reason) {
    case "no directory":
      return "Create the directory first, or change workingDirectory. Then run `pulumi up` again.";
    case "no space":
      return `${spaceAdvice} Then run \`pulumi up\` again.`;
    case "timed out":
      return `Set a longer timeoutSeconds, or make the command faster. The next \`pulumi up\` runs \`${argument}\` again.`;
    default:
      return `Fix the command, or what it needs. The next \`pulumi up\` runs \`${argument}\` again.`;
  }
}

/** The command `delete` failed, so the resource stays in the state. */
export class FailedDeleteError extends ResourceError {
  /** @param described such as `AgbCommand "build"` */
  constructor(described: string, failed: FailedCommand) {
    const advice =
      "The resource stays in the state. Correct what the command needs in the session, then run Pulumi again. " +
      "If the resource is still in the program, you can also change `delete` with `pulumi up`. To give up on the command, " +
      "remove the resource from the state with `pulumi state delete`.";
    super(`could not delete ${described}`, `${describeFailedCommand(failed)}${advice}`, codeOfFailedCommand(failed));
  }
}

/** The run of Pulumi ended, so nobody waits for the command. */
export class AbandonedCommandError extends CleanError {
  constructor() {
    super("the run ended while the command ran");
  }
}

/** What to do about errors that end a command before its own end. */
export const commandAdvice: NonNullable<ResourceKind<CommandState>["advice"]> = (error, { operation, limit }) => {
  if (error instanceof AgbNotFoundError && operation !== "read") {
    const text =
      "The session is gone: AGB has released it, or someone deleted it. If this program declares the session, run " +
      "`pulumi up --refresh`: it recreates the session and runs its commands again. Otherwise, declare the id of a session that is running.";
    return { code: "AGB905", text };
  }
  if (error instanceof AgbTimeoutError && limit !== undefined) {
    const text =
      `Most likely the command takes longer than ${limit}. It goes on in the session. Run Pulumi again: it waits for ` +
      `the same run. Set a longer ${limit}, or end the command itself with \`timeoutSeconds\`.`;
    return { code: "AGB305", text };
  }
  if (error instanceof AbandonedCommandError) {
    const text = "The command goes on in the session. Run `pulumi up` again: it waits for the same run.";
    return { code: "AGB912", text };
  }
  if (error instanceof AgbRunError && error.problem === "lost") {
    const text =
      "It is not known how the command ended. Do not remove /tmp/.pulumi-agb in a command. Run `pulumi up` again to run the " +
      "command once more.";
    return { code: "AGB908", text };
  }
  if (error instanceof AgbRunError && error.problem === "not started") {
    const text =
      "Run `pulumi up` again. If the command has started meanwhile, that waits for the same run. If the session is " +
      "overloaded, recreate it.";
    return { code: "AGB909", text };
  }
  if (error instanceof AgbRunError && error.problem === "silent") {
    const text =
      "The command may still run. Run `pulumi up` again: it waits for the same run. If the session is overloaded, recreate it.";
    return { code: "AGB913", text };
  }
  if (error instanceof AgbRunError && error.problem === "full") {
    const text = `The command did not run. ${spaceAdvice} Then run \`pulumi up\` again.`;
    return { code: "AGB914", text };
  }
  if (error instanceof AgbRunError || error instanceof AgbToolError) {
    const text =
      "The command did not run. It needs an image with the tools shell and write_file and the usual programs, such as " +
      "agb-code-space-1, and space in /tmp.";
    return { code: "AGB906", text };
  }
  return undefined;
};
