import type { JobOutput } from "../forge/job-output";
import { sharedAdvice } from "../messages/call-failure-code";
import { describeFailure } from "../messages/describe-failure";
import type { MessageCode } from "../messages/message-codes";
import { StoppedError } from "../pulumi/stop-requests";

const checkEndpoint =
  "Check the endpoint (AGB_ENDPOINT, or agb:endpoint if the command reads the stack's configuration), then run this again.";
const runLater = "Run this again later.";

/** What to do about a failed call to AGB, whose own message only says what happened. */
const adviceByCode: Readonly<Partial<Record<MessageCode, string>>> = {
  ...sharedAdvice,
  AGB202: "Set AGB_API_KEY, or agb:apiKey if the command reads the stack's configuration, to a key that may do this.",
  AGB301: checkEndpoint,
  AGB304: checkEndpoint,
  AGB305: `${checkEndpoint} AGB_TIMEOUT_MS sets a longer limit.`,
  AGB306: checkEndpoint,
  AGB307: runLater,
  AGB308: runLater,
};

/** Reports why a subcommand failed, and sets the exit code. @param name such as `sweep` */
export function reportFailure(output: JobOutput, name: string, error: unknown): void {
  const { text, code } = describeFailure(error);
  const advice = adviceByCode[code];
  const message = advice === undefined ? text : `${firstUpper(text).replace(/\.$/, "")}. ${advice}`;
  output.fail(`pulumi-agb ${name}: ${message}`, code);
  process.exitCode = error instanceof StoppedError ? error.exitCode : 1;
}

function firstUpper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
