/**
 * What Pulumi passes in a preview for a value that is not known yet, even for a whole object. Repeated here so that the
 * provider's process does not have to load Pulumi's whole runtime.
 */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Tells whether a value is not known yet. */
export function isUnknown(value: unknown): boolean {
  return value === unknownValue;
}

/** Tells whether a value is not known yet, or holds one that is not, at any depth. */
export function holdsUnknown(value: unknown): boolean {
  return isUnknown(value) || (typeof value === "object" && value !== null && Object.values(value).some(holdsUnknown));
}
