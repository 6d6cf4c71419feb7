/**
 * What stands in a preview for a value that is not known yet, also in place of a whole object. Pulumi hands it to
 * dynamic providers as it is; written out here so that the provider process need not load Pulumi's whole runtime.
 */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Tells whether a value is not known yet. */
export function isUnknown(value: unknown): boolean {
  return value === unknownValue;
}
