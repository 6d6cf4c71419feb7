import type { Labels } from "../api/labels";
import type { AdoptTarget } from "../lifecycle/adopt";
import { isReserved, ownershipKeys, withoutCreateToken } from "../lifecycle/ownership";
import { cleanProperties, type Properties } from "./properties";

/** Limits of whole operations, in seconds. */
export interface OperationTimeouts {
  readonly create?: number;
  readonly update?: number;
  readonly delete?: number;
}

/** A session as the state holds it and as `check` hands it on; `labelsAll` holds the create label only in outputs. */
export interface SessionProperties {
  readonly imageId: string;
  readonly labels: Labels;
  readonly labelsAll: Labels;
  readonly idleTimeoutSeconds?: number;
  readonly policyId?: string;
  readonly ignoreLabels?: readonly string[];
  readonly adopt?: AdoptTarget;
  readonly onRelease?: "recreate" | "keep";
  readonly timeouts?: OperationTimeouts;
  readonly appInstanceId?: string | undefined;
  readonly resourceId?: string | undefined;
  /** `true` once a session that is to be kept in the state was found released. */
  readonly released?: boolean | undefined;
  /** The create label that makes the session ours; only while the session does not carry it, see `ownTokenOf`. */
  readonly ownToken?: string | undefined;
  /** The create label that the session had before an adoption; only while that adoption is unfinished. */
  readonly formerToken?: string | undefined;
  /** Where the session was made, see `serviceName`; absent for AGB's default endpoint. */
  readonly service?: string | undefined;
  readonly __provider?: string;
}

/** Properties that AGB can neither change nor tell: a new value means a new session. */
export const fixedProperties = ["imageId", "idleTimeoutSeconds", "policyId"] as const;

/** Properties that tell the provider how to act and that AGB never sees: a new value is only written down. */
export const instructionProperties = ["ignoreLabels", "adopt", "onRelease", "timeouts"] as const;

/** What only outputs hold. */
const computedProperties = ["appInstanceId", "resourceId", "released", "service", "ownToken", "formerToken"] as const;

const stored = [...fixedProperties, ...instructionProperties, ...computedProperties];

/**
 * What the state holds of a session. Its own create label stands beside the labels only while these do not hold it: a
 * refresh must not make another owner's create label ours.
 */
export function outputsOf(known: Partial<SessionProperties>, labels: Labels, labelsAll: Labels): Properties {
  const isOwn = known.ownToken === labelsAll[ownershipKeys.create];
  return cleanProperties({
    ...Object.fromEntries(stored.map((name) => [name, known[name]])),
    ...(isOwn && { ownToken: undefined, formerToken: undefined }),
    labels: carriedLabels(labels),
    labelsAll: carriedLabels(labelsAll),
  });
}

/**
 * Pulumi's process loses a property called `__proto__`, so a label of that name, which only another tool can have set,
 * would never be seen. In the state its name has quotes. The next update sees a label to take off.
 */
function carriedLabels(labels: Labels): Labels {
  return Object.fromEntries(
    Object.entries(labels).map(([key, value]) => [key === "__proto__" ? '"__proto__"' : key, value]),
  );
}

/** The inputs that would have led to these outputs. */
export function inputsOf(outputs: Properties): Properties {
  const inputs = Object.entries(outputs).filter(([name]) => !(computedProperties as readonly string[]).includes(name));
  return { ...Object.fromEntries(inputs), labelsAll: withoutCreateToken(outputs["labelsAll"] as Labels) };
}

/**
 * The labels that count as declared: those that were, with the value they have now, and those that came from
 * elsewhere, so that the next diff drops them. Default labels and the provider's own are left to `labelsAll`.
 */
export function declaredPart(found: Labels, known: Partial<SessionProperties>): Labels {
  const { labels = {}, labelsAll = {} } = known;
  const isDefault = (key: string) => Object.hasOwn(labelsAll, key) && !Object.hasOwn(labels, key);
  return Object.fromEntries(Object.entries(found).filter(([key]) => !isReserved(key) && !isDefault(key)));
}

/** Name of the resource in the program, when the properties tell it. */
export function resourceName(properties: Partial<SessionProperties> | Properties): string | undefined {
  const labelsAll = properties.labelsAll as Labels | undefined;
  return labelsAll?.[ownershipKeys.resource];
}
