import type { AgbClient } from "../api/client";
import type { Labels } from "../api/labels";
import { printable } from "../api/outside-text";
import { foreignLabels, labelDifferences } from "../lifecycle/labels";
import { replaceLabels } from "../lifecycle/session";
import { resourceName, type SessionProperties } from "./session-properties";
import { unfinishedSession } from "./unfinished-session";

/**
 * Sets the labels of a session and makes sure that it has them, and only them.
 *
 * @param known what the state shall hold of the session when it has other labels
 * @param dropped labels that were ours and are not left, see `formerlyOwn`
 * @throws UnfinishedError with the labels that the session has instead
 */
export async function settleLabels(
  client: AgbClient,
  id: string,
  wanted: Labels,
  known: SessionProperties,
  dropped: Labels = {},
): Promise<void> {
  const found = await replaceLabels(client, id, wanted, known.ignoreLabels, dropped);
  const differences = labelDifferences(wanted, found);
  if (differences.length > 0) {
    throw unfinishedSession(
      id,
      known,
      found,
      `the labels of AgbSession "${printable(resourceName(known) ?? "")}" (session ${printable(id)}) are not as they were set: ` +
        `${differences.join(", ")}. AGB or another tool changed them at the same moment, or this AGB adds labels ` +
        "instead of replacing them. The state holds what the session has; the next `pulumi up` tries again.",
    );
  }
}

/**
 * The labels of the state that a pattern of the state would have left out, had they not been declared: those that the
 * program drops now are ours to remove.
 */
export function formerlyOwn({ labelsAll = {}, ignoreLabels = [] }: Partial<SessionProperties>): Labels {
  return foreignLabels(labelsAll, {}, ignoreLabels);
}
