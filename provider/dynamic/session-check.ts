import type { Labels } from "../api/labels";
import { kindOf, labelCountProblem, labelLimits, labelPath, labelProblems, type Problem } from "../lifecycle/labels";
import { isReserved } from "../lifecycle/ownership";
import type { Properties } from "./properties";
import { isUnknown, unknownValue } from "./unknown";

/** What a program may declare of a session. */
const declarable = ["imageId", "labels", "idleTimeoutSeconds", "policyId"];

/** What the resource class adds: see `resources/agb-session.ts`. */
const added = ["labelsAll", "__provider"];

/** Labels that the provider adds at create: owner's project, stack and resource, and the create label. */
const ownLabelCount = 4;

/** Finds everything that is wrong with what the program declares. Values that a preview does not know pass. */
export function sessionProblems(news: Properties, defaultLabels: Labels): Problem[] {
  const unknownNames = Object.keys(news).filter((name) => !declarable.includes(name) && !added.includes(name));
  return [
    ...unknownNames.map((path) => ({ path, reason: `no such property; AgbSession has ${declarable.join(", ")}` })),
    ...problemOf("imageId", imageProblem(news["imageId"])),
    ...labelProblems("labels", news["labels"], isUnknown),
    ...countProblem(news["labels"], defaultLabels),
    ...problemOf("idleTimeoutSeconds", idleTimeoutProblem(news["idleTimeoutSeconds"])),
    ...problemOf("policyId", policyProblem(news["policyId"])),
    ...ownerProblems(news["labelsAll"]),
  ];
}

/**
 * The inputs that Pulumi stores and compares: as declared, and with `labelsAll` as the session shall carry them, less
 * the create label. Default labels give way to declared ones, both give way to the owner's.
 */
export function sessionInputs(news: Properties, defaultLabels: Labels): Properties {
  const labels = news["labels"] ?? {};
  const owner = news["labelsAll"];
  const labelsAll =
    isUnknown(labels) || isUnknown(owner)
      ? unknownValue
      : { ...defaultLabels, ...(labels as Labels), ...reservedOnly((owner ?? {}) as Labels) };
  return { ...news, labels, labelsAll };
}

function imageProblem(imageId: unknown): string | undefined {
  if (imageId === undefined) {
    return "is required, such as agb-code-space-1";
  }
  return isUnknown(imageId) ? undefined : blankProblem(imageId);
}

function policyProblem(policyId: unknown): string | undefined {
  return policyId === undefined || isUnknown(policyId) ? undefined : blankProblem(policyId);
}

function blankProblem(value: unknown): string | undefined {
  if (typeof value !== "string") {
    return `must be a text, not ${kindOf(value)}`;
  }
  return value.trim() === "" ? "must not be blank" : undefined;
}

function idleTimeoutProblem(seconds: unknown): string | undefined {
  if (seconds === undefined || isUnknown(seconds)) {
    return undefined;
  }
  if (typeof seconds !== "number") {
    return `must be a number of seconds, not ${kindOf(seconds)}`;
  }
  return Number.isInteger(seconds) && seconds >= 1 ? undefined : "must be a whole number of seconds, 1 or more";
}

function countProblem(labels: unknown = {}, defaultLabels: Labels): Problem[] {
  if (typeof labels !== "object" || labels === null || Array.isArray(labels)) {
    return [];
  }
  const declared = Object.keys(labels);
  const defaults = Object.keys(defaultLabels).filter((key) => !declared.includes(key));
  return labelCountProblem("labels", ownLabelCount, declared.length, defaults.length);
}

/** The owner's labels are limited like all labels; only a very long resource name can break that. */
function ownerProblems(labelsAll: unknown): Problem[] {
  if (labelsAll === undefined || isUnknown(labelsAll)) {
    return [];
  }
  const tooLong = Object.entries(reservedOnly(labelsAll as Labels)).filter(
    // A reserved key that the program declared, wrongly, may hold anything.
    ([, value]: [string, unknown]) => typeof value === "string" && value.length > labelLimits.valueCharacters,
  );
  return tooLong.map(([key]) => ({ path: labelPath("labelsAll", key), reason: "the name is too long for a label" }));
}

function reservedOnly(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => isReserved(key)));
}

function problemOf(path: string, reason: string | undefined): Problem[] {
  return reason === undefined ? [] : [{ path, reason }];
}
