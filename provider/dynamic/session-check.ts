import type { Labels } from "../api/labels";
import { printable } from "../api/outside-text";
import type { Settings } from "../config";
import {
  ignoreProblems,
  kindOf,
  labelCountProblem,
  labelLimits,
  labelPath,
  labelProblems,
  type Problem,
} from "../lifecycle/labels";
import { isReserved, ownershipKeys } from "../lifecycle/ownership";
import { nearestName } from "../nearest-name";
import type { Properties } from "./properties";
import { isUnknown, unknownValue } from "./unknown";

/** What a program may declare of a session. */
const declarable = [
  "imageId",
  "labels",
  "idleTimeoutSeconds",
  "policyId",
  "ignoreLabels",
  "adopt",
  "onRelease",
  "timeouts",
];

/** What the resource class adds: see `resources/agb-session.ts`. */
const added = ["labelsAll", "__provider"];

/** Labels of the provider when nothing else is known: project, stack, its id, resource, and the create label. */
const usualOwnLabelCount = 5;

/** Finds everything that is wrong with what the program declares. Values that a preview does not know pass. */
export function sessionProblems(news: Properties, defaultLabels: Labels): Problem[] {
  const unknownNames = Object.keys(news).filter((name) => !declarable.includes(name) && !added.includes(name));
  const misspelt = unknownNames.map((path) => ({ path, meant: nearestName(path, declarable) }));
  const isMisspelt = (name: string) => misspelt.some(({ meant }) => meant === name);
  return [
    ...misspelt.map(({ path, meant }) => ({ path: printable(path), reason: unknownNameReason(meant) })),
    // Where its name is misspelt, that it is missing is the same problem.
    ...(news["imageId"] === undefined && isMisspelt("imageId")
      ? []
      : problemOf("imageId", imageProblem(news["imageId"]))),
    ...labelProblems("labels", news["labels"], isUnknown),
    ...countProblem(news["labels"], defaultLabels, ownLabelCount(news["labelsAll"])),
    ...problemOf("idleTimeoutSeconds", idleTimeoutProblem(news["idleTimeoutSeconds"])),
    ...problemOf("policyId", policyProblem(news["policyId"])),
    ...ignoreProblems("ignoreLabels", news["ignoreLabels"], isUnknown),
    ...adoptProblems(news["adopt"]),
    ...problemOf("onRelease", onReleaseProblem(news["onRelease"])),
    ...timeoutProblems(news["timeouts"]),
    ...ownerProblems(news["labelsAll"]),
  ];
}

/**
 * The inputs that Pulumi stores and compares: as declared, and with `labelsAll` as the session shall carry them, less
 * the create label. Default labels give way to declared ones, both give way to the owner's.
 */
export function sessionInputs(
  news: Properties,
  settings: Pick<Settings, "defaultLabels" | "ignoreLabels">,
): Properties {
  const { defaultLabels } = settings;
  const labels = news["labels"] ?? {};
  const owner = news["labelsAll"];
  const labelsAll =
    isUnknown(labels) || isUnknown(owner)
      ? unknownValue
      : { ...defaultLabels, ...(labels as Labels), ...reservedOnly((owner ?? {}) as Labels) };
  return { ...news, labels, labelsAll, ignoreLabels: withSettings(news["ignoreLabels"], settings.ignoreLabels) };
}

/** The patterns of the session and those of the settings, `undefined` when there are none. */
function withSettings(declared: unknown, configured: readonly string[]): unknown {
  if (isUnknown(declared)) {
    return declared;
  }
  const patterns = [...new Set([...((declared ?? []) as unknown[]), ...configured])];
  return patterns.length > 0 ? patterns : undefined;
}

function unknownNameReason(meant: string | undefined): string {
  return meant === undefined
    ? `no such property; AgbSession has ${declarable.join(", ")}`
    : `no such property; did you mean ${meant}?`;
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

function ownLabelCount(labelsAll: unknown): number {
  const optional = [ownershipKeys.repository, ownershipKeys.retain];
  const isCarried = (key: string) =>
    typeof labelsAll === "object" && labelsAll !== null && Object.hasOwn(labelsAll, key);
  return usualOwnLabelCount + optional.filter(isCarried).length;
}

function countProblem(labels: unknown = {}, defaultLabels: Labels, ownCount: number): Problem[] {
  if (typeof labels !== "object" || labels === null || Array.isArray(labels)) {
    return [];
  }
  const declared = Object.keys(labels);
  const defaults = Object.keys(defaultLabels).filter((key) => !declared.includes(key));
  return labelCountProblem("labels", ownCount, declared.length, defaults.length);
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

function onReleaseProblem(onRelease: unknown): string | undefined {
  const isGood = onRelease === undefined || isUnknown(onRelease) || onRelease === "recreate" || onRelease === "keep";
  return isGood ? undefined : 'must be "recreate" or "keep"';
}

function adoptProblems(adopt: unknown): Problem[] {
  if (adopt === undefined || isUnknown(adopt)) {
    return [];
  }
  if (typeof adopt !== "object" || adopt === null || Array.isArray(adopt)) {
    return [{ path: "adopt", reason: `must be { sessionId } or { labels }, not ${kindOf(adopt)}` }];
  }
  const { sessionId, labels, ...others } = adopt as Properties;
  const hasLabels =
    isUnknown(labels) ||
    (typeof labels === "object" && labels !== null && !Array.isArray(labels) && Object.keys(labels).length > 0);
  const isOneOfBoth = (sessionId === undefined) !== (labels === undefined) && Object.keys(others).length === 0;
  if (!isOneOfBoth || (labels !== undefined && !hasLabels)) {
    return [{ path: "adopt", reason: "must hold either sessionId or at least one of labels" }];
  }
  if (sessionId !== undefined) {
    return isUnknown(sessionId) ? [] : problemOf("adopt.sessionId", blankProblem(sessionId));
  }
  return isUnknown(labels)
    ? []
    : Object.entries(labels as Properties).flatMap(([key, value]) =>
        problemOf(labelPath("adopt.labels", key), isUnknown(value) ? undefined : blankProblem(value)),
      );
}

function timeoutProblems(timeouts: unknown): Problem[] {
  if (timeouts === undefined || isUnknown(timeouts)) {
    return [];
  }
  if (typeof timeouts !== "object" || timeouts === null || Array.isArray(timeouts)) {
    return [{ path: "timeouts", reason: `must be { create, update, delete } in seconds, not ${kindOf(timeouts)}` }];
  }
  return Object.entries(timeouts).flatMap(([name, seconds]) =>
    problemOf(
      `timeouts.${name}`,
      ["create", "update", "delete"].includes(name)
        ? isUnknown(seconds) || (typeof seconds === "number" && seconds > 0 && seconds <= longestTimeoutSeconds)
          ? undefined
          : `must be a number of seconds, more than 0 and at most ${longestTimeoutSeconds}`
        : "no such operation; there are create, update and delete",
    ),
  );
}

// Node's timers go no further.
const longestTimeoutSeconds = 2_147_483;

function problemOf(path: string, reason: string | undefined): Problem[] {
  return reason === undefined ? [] : [{ path, reason }];
}
