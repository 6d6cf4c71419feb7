import type { AgbClient } from "../api/client";
import type { Labels } from "../api/labels";
import { printable } from "../api/outside-text";
import { foreignLabels, labelCountProblem, labelDifferences, labelLimits } from "../lifecycle/labels";
import { isReserved, ownershipKeys } from "../lifecycle/ownership";
import { replaceLabels } from "../lifecycle/session";
import { type Problem, propertyPath } from "../messages/problem";
import type { Properties } from "./hosted-kind";
import { UnfinishedResource } from "./kind";
import type { TokenState } from "./own-token";
import { leastOwnLabels } from "./value-rules";

/** What a state says about the labels of its session. */
export interface LabelState extends TokenState {
  readonly labels?: Labels | undefined;
  readonly ignoreLabels?: readonly string[] | undefined;
}

/**
 * The state of a session with these labels. Its own create label is kept separately while the labels lack it, because a
 * refresh must not turn another owner's create label into ours.
 */
export function sessionState<Known extends TokenState>(
  known: Known,
  labels: Labels = {},
  labelsAll: Labels = {},
): Known & { readonly labels: Labels; readonly labelsAll: Labels } {
  const isOwn = known.ownToken === labelsAll[ownershipKeys.create];
  return {
    ...known,
    ...(isOwn && { ownToken: undefined, formerToken: undefined }),
    labels: carriedLabels(labels),
    labelsAll: carriedLabels(labelsAll),
  };
}

/**
 * Pulumi's process loses a property called `__proto__`. Another tool may have set a label of that name, and Pulumi would
 * never see it. So its name has quotes in the state. The next update then sees a label to remove.
 */
function carriedLabels(labels: Labels): Labels {
  return Object.fromEntries(
    Object.entries(labels).map(([key, value]) => [key === "__proto__" ? '"__proto__"' : key, value]),
  );
}

/**
 * The labels that count as declared: those that were declared, with their current values, and those that came from
 * elsewhere, so that the next diff drops them. Default labels and the provider's own are only in `labelsAll`.
 */
export function declaredLabels(found: Labels, known: LabelState): Labels {
  const { labels = {}, labelsAll = {} } = known;
  const isDefault = (key: string) => Object.hasOwn(labelsAll, key) && !Object.hasOwn(labels, key);
  return Object.fromEntries(Object.entries(found).filter(([key]) => !isReserved(key) && !isDefault(key)));
}

/**
 * The labels of the state that match a pattern of ignored labels and were declared. The provider removes those that the
 * program no longer declares.
 */
export function previouslyManagedLabels({ labelsAll = {}, ignoreLabels = [] }: LabelState): Labels {
  return foreignLabels(labelsAll, {}, ignoreLabels);
}

/** The labels that only the provider may set. */
export function reservedLabels(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => isReserved(key)));
}

/**
 * Sets the labels of a session and makes sure that it has them, and only them.
 *
 * @param known what the state should hold of the session when it has other labels
 * @param previous labels that were ours and may have to be removed, see `previouslyManagedLabels`
 * @param resource name of the resource in the program
 * @throws UnfinishedResource with the labels that the session has instead
 */
export async function applyLabels<Known extends LabelState>(
  client: AgbClient,
  id: string,
  wanted: Labels,
  known: Known,
  previous: Labels,
  resource: string | undefined,
): Promise<void> {
  const found = await replaceLabels(client, id, wanted, known.ignoreLabels, previous);
  const differences = labelDifferences(wanted, found);
  if (differences.length > 0) {
    throw new UnfinishedResource(
      id,
      sessionState(known, declaredLabels(found, known), found),
      `the labels of ${describeSession(id, resource)} differ from those that were set: ${differences.join(", ")}. ` +
        "Another tool may have changed them at the same time, or the service at the endpoint adds labels instead of " +
        "replacing them. The state holds the labels that the session has. The next `pulumi up` tries again.",
      "AGB410",
    );
  }
}

/** The session and its resource, for messages. */
export function describeSession(id: string, resource: string | undefined): string {
  const shown = printable(id);
  return resource === undefined ? `session ${shown}` : `session "${printable(resource)}" (${shown})`;
}

/** Checks that declared, default and own labels together are not too many. */
export function labelCountProblems({ labels = {}, labelsAll }: Properties, defaultLabels: Labels): Problem[] {
  if (typeof labels !== "object" || labels === null || Array.isArray(labels)) {
    return [];
  }
  const optional = [ownershipKeys.repository, ownershipKeys.retain];
  const isCarried = (key: string) =>
    typeof labelsAll === "object" && labelsAll !== null && Object.hasOwn(labelsAll, key);
  const ownCount = leastOwnLabels + optional.filter(isCarried).length;
  const declared = Object.keys(labels);
  const defaults = Object.keys(defaultLabels).filter((key) => !declared.includes(key));
  const reason = labelCountProblem(ownCount, declared.length, defaults.length);
  return reason === undefined ? [] : [{ path: "labels", reason, code: "AGB107" }];
}

/** The owner's labels have the limits of all labels. Only a very long name can break them. */
export function ownerNameProblems({ labelsAll }: Properties): Problem[] {
  if (typeof labelsAll !== "object" || labelsAll === null) {
    return [];
  }
  const tooLong = Object.entries(reservedLabels(labelsAll as Labels)).filter(
    // A reserved key that the program wrongly declared may hold anything.
    ([, value]: [string, unknown]) => typeof value === "string" && value.length > labelLimits.valueCharacters,
  );
  return tooLong.map(([key]) => ({
    path: propertyPath(["labelsAll", key]),
    reason: `the name is too long for a label; the limit is ${labelLimits.valueCharacters} characters`,
    code: "AGB108",
  }));
}
