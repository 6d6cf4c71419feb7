// Whether what runs is what a stack declares, and the one issue that tells of it. Uses pulumi/ and forge/, and is used by
// cli/ alone.

import type { Forge } from "../forge/forge";
import { pulumiExitCodes } from "../pulumi/exit-codes";
import type { PulumiCli } from "../pulumi/pulumi-cli";
import {
  type DriftCheck,
  type DriftedStack,
  describeDrift,
  describeNoDrift,
  driftLabel,
  driftMarker,
  driftTitle,
} from "./drift-report";

const issueNote = "Each check changes this text, and the first one that finds no drift closes the issue.";

/** What a look at a stack found. */
export interface DriftFinding {
  readonly hasDrift: boolean;
  /** All that Pulumi printed of what is different. */
  readonly details: string;
}

/**
 * Compares what runs with what the program declares; changes neither.
 *
 * @param stack as the Pulumi CLI knows it
 * @throws Error when it cannot be told, with all that Pulumi printed; StoppedError
 */
export async function lookForDrift(pulumi: Pick<PulumiCli, "compare">, stack: string): Promise<DriftFinding> {
  const { exitCode, stdout, stderr } = await pulumi.compare(stack);
  if (exitCode === pulumiExitCodes.success || exitCode === pulumiExitCodes.changesFound) {
    return { hasDrift: exitCode === pulumiExitCodes.changesFound, details: stdout };
  }
  const advice = /no changes were expected/.test(stderr)
    ? "\nThis Pulumi CLI has no exit code of its own for drift, so that it cannot be told from a failure: use 3.227 or newer."
    : "";
  throw new Error(
    `whether ${stack} has drifted is not known, \`pulumi preview\` failed with exit code ${exitCode}:\n${stdout}\n${stderr}`.trim() +
      advice,
  );
}

/** Markdown that says what was found. */
export function describeFinding({ hasDrift, details }: DriftFinding, stack: DriftedStack, check: DriftCheck): string {
  return hasDrift ? describeDrift(stack, details, check) : describeNoDrift(stack, check);
}

/**
 * Brings the one issue of the stack in line with what was found: open as long as there is drift.
 *
 * @returns what was done, one line; `undefined` when nothing was
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
