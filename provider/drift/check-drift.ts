// Checks a stack for drift, and keeps the one issue that reports it. Uses pulumi/ and forge/. Only cli/ uses it.

import type { Forge } from "../forge/forge";
import { CodedError } from "../messages/coded-error";
import { pulumiExitCodes } from "../pulumi/exit-codes";
import type { PulumiCli } from "../pulumi/pulumi-cli";
import { isStackMissing } from "../pulumi/pulumi-reader";
import { withOutput } from "../pulumi/with-output";
import {
  type DriftCheck,
  type DriftedStack,
  describeDrift,
  describeNoDrift,
  driftLabel,
  driftMarker,
  driftTitle,
} from "./drift-report";

const issueNote = "Each check updates this text. The first check without drift closes the issue.";

/** What a check found. */
export interface DriftFinding {
  readonly hasDrift: boolean;
  /** Everything that Pulumi printed about the differences. */
  readonly details: string;
}

/**
 * Compares what exists with what the program declares, and changes neither.
 *
 * @param stack the name that the Pulumi CLI takes
 * @throws CodedError with everything that Pulumi printed, when the comparison failed; StoppedError
 */
export async function lookForDrift(pulumi: Pick<PulumiCli, "compare">, stack: string): Promise<DriftFinding> {
  const { exitCode, stdout, stderr } = await pulumi.compare(stack);
  if (exitCode === pulumiExitCodes.success || exitCode === pulumiExitCodes.changesFound) {
    return { hasDrift: exitCode === pulumiExitCodes.changesFound, details: stdout };
  }
  if (isStackMissing({ exitCode, stdout, stderr })) {
    const missing = `The stack ${stack} does not exist in this backend`;
    throw new CodedError(withOutput(missing, stderr, "Check the backend and --stack."), "AGB607");
  }
  const isTooOld = /no changes were expected/.test(stderr);
  const advice = isTooOld
    ? "This Pulumi CLI has the same exit code for drift and for failures. Install 3.227 or newer."
    : "Fix what Pulumi reports, then run this again.";
  throw new CodedError(
    withOutput(
      `Could not check ${stack} for drift, because \`pulumi preview\` failed with exit code ${exitCode}`,
      `${stdout}\n${stderr}`,
      advice,
    ),
    isTooOld ? "AGB605" : "AGB603",
  );
}

/** A finding as Markdown. */
export function describeFinding({ hasDrift, details }: DriftFinding, stack: DriftedStack, check: DriftCheck): string {
  return hasDrift ? describeDrift(stack, details, check) : describeNoDrift(stack, check);
}

/**
 * Keeps the one issue of the stack open while there is drift, and closes it otherwise.
 *
 * @returns one line that says what was done; `undefined` when there was nothing to do
 * @throws ForgeError
 */
export async function keepIssue(
  forge: Forge,
  finding: DriftFinding,
  stack: DriftedStack,
  check: DriftCheck,
): Promise<string | undefined> {
  const marker = driftMarker(stack);
  const markdown = describeFinding(finding, stack, check);
  if (finding.hasDrift) {
    const issue = { title: driftTitle(stack), markdown: `${markdown}\n${issueNote}\n`, label: driftLabel };
    const { url, isNew } = await forge.writeIssue(marker, issue);
    return `${isNew ? "Opened" : "Updated"} the issue ${url}`;
  }
  const closed = await forge.closeIssue(marker, driftLabel, markdown);
  return closed && `Closed the issue ${closed}`;
}
