import type { Properties } from "./hosted-kind";

/**
 * Cleans the properties that a kind returns. After a successful create, an `undefined` or a function anywhere in them
 * makes Pulumi fail with "Unexpected struct type." and lose the resource. So this never fails: it leaves out what Pulumi
 * cannot carry, and turns a date into an ISO string.
 */
export function cleanProperties(properties: Properties): Properties {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([, value]) => isCarried(value))
      .map(([key, value]) => [key, cleanValue(value)]),
  );
}

function cleanValue(value: unknown): unknown {
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? "" : value.toISOString();
  }
  if (Array.isArray(value)) {
    return value.map((item) => (isCarried(item) ? cleanValue(item) : null));
  }
  return typeof value === "object" && value !== null ? cleanProperties(value as Properties) : value;
}

function isCarried(value: unknown): boolean {
  return value !== undefined && !["function", "symbol", "bigint"].includes(typeof value);
}
