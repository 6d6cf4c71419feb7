import { AgbError, AgbNotFoundError } from "../../api/errors";
import { printable } from "../../api/outside-text";
import { AgbRunError, type RunEnd } from "../../lifecycle/command-run";
import { AgbToolError } from "../../lifecycle/session-shell";
import { CodedError } from "../../messages/coded-error";
import type { MessageCode } from "../../messages/message-codes";
import { noSession, noteFailure } from "../agb-access";
import { longestDurationMs } from "../duration";

/** Exit codes that are not the command's own, as of `docker exec` and `timeout`. */
export const exitCodes = { failed: 125, timedOut: 124, readerGone: 141 } as const;

/** What the user asked for, as far as messages name it. */
interface ExecLimits {
  readonly cwd?: string;
  /** In milliseconds. */
  readonly timeout?: number;
}

/** Returns the exit code for the end of a command. @throws CodedError when it has none */
export function exitCodeOf(end: RunEnd | number, { cwd, timeout }: ExecLimits): number {
  if (typeof end === "number") {
    return end;
  }
  switch (end.reason) {
    case "exited":
      return end.exitCode ?? exitCodes.failed;
    case "timed out":
      noteFailure("the command", {
        text: `it was ended at its time limit (--timeout ${(timeout ?? longestDurationMs) / 1_000}s), with all that it started`,
        code: "AGB641",
      });
      return exitCodes.timedOut;
    case "no directory":
      throw new CodedError(
        `The command did not run, because its directory does not exist in the session: ${printable(cwd ?? "the home directory")}. ` +
          "Give another one with --cwd.",
        "AGB640",
      );
    case "no space":
      throw new CodedError(
        "The command did not run, because nothing could be written to /tmp in the session. Free space there, or recreate the session.",
        "AGB638",
      );
    case "killed":
      throw new CodedError(
        "Something in the session killed what ran the command, so nobody knows how it ended. Look at what it did before you run " +
          "it again.",
        "AGB639",
      );
  }
}

/** Says what a failure means for the command. */
export function explainFailure(error: unknown, sessionId: string, hasStarted: boolean, baseUrl: string): unknown {
  const coded = (reason: string, code: MessageCode) => new CodedError(reason, code, { cause: error });
  if (error instanceof AgbNotFoundError) {
    return hasStarted
      ? coded(
          `Session ${printable(sessionId)} ended while the command ran, and the command with it. AGB releases a session when its ` +
            "lifetime is over. Run `pulumi up --refresh` to recreate a session of a stack, then run the command again.",
          "AGB637",
        )
      : noSession(sessionId, baseUrl);
  }
  if (error instanceof AgbToolError) {
    return coded(
      `Session ${printable(sessionId)} does not run the command: ${withoutStop(error.message)}. The session's image needs the ` +
        "tools shell and write_file.",
      "AGB638",
    );
  }
  if (error instanceof AgbRunError && error.problem === "full") {
    return coded(
      `The command did not run: ${error.message}. Free some space in the session, or recreate it.`,
      "AGB638",
    );
  }
  if (error instanceof AgbRunError) {
    return error.problem === "unusable"
      ? coded(`The command did not run: ${error.message}. Run it in a session of another image.`, "AGB638")
      : coded(
          `${error.message}. Nobody knows how the command ended. Look at what it did before you run it again.`,
          "AGB639",
        );
  }
  if (error instanceof AgbError && hasStarted) {
    return coded(
      `${withoutStop(error.message)}. The command may still run in session ${printable(sessionId)}. Look there before you run it again.`,
      "AGB639",
    );
  }
  return error;
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, "");
}
