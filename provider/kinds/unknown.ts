/**
 * What Pulumi passes in a preview for a value that is not known yet, also in place of a whole object. Written out here,
 * so that a provider's process need not load Pulumi's whole runtime.
 */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Tells whether a value is not known yet. */
export function isUnknown(value: unknown): boolean {
  return value === unknownValue;
}

/** Tells whether a value is not known yet, or anything inside of it. */
export function holdsUnknown(value: unknown): boolean {
  return isUnknown(value) || (typeof value === "object" && value !== null && Object.values(value).some(holdsUnknown));
}
