/**
 * A message that quotes what a command printed: what failed, the output, what to do.
 *
 * @param failure without a full stop
 * @param advice in full sentences
 */
export function withOutput(failure: string, output: string, advice: string): string {
  const shown = output.trim();
  return shown === "" ? `${failure}. ${advice}` : `${failure}:\n${shown}\n${advice}`;
}

/** The message of a `pulumi` command that failed. */
export function describeFailedCommand(parameters: readonly string[], exitCode: number, output: string): string {
  const failure = `\`pulumi ${parameters.join(" ")}\` failed with exit code ${exitCode}`;
  return withOutput(failure, output, "Fix what Pulumi reports, then run this again.");
}
