import { invalidRequest } from "./failures";
import type { LabelLimits } from "./options";

/** A session's labels. Only own properties count, so `__proto__` is a key like any other. */
export type Labels = Readonly<Record<string, string>>;

/** Whether a value read from JSON is a set of labels. Not z.record, which would drop a label named `__proto__`. */
export function isLabels(value: unknown): value is Labels {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((label) => typeof label === "string")
  );
}

/**
 * Parses the JSON string in which labels are sent: an object whose values are strings.
 *
 * @param field the parameter's name on the wire, for the message
 * @throws ApiFailure (HTTP 400) when the string is anything else
 */
export function parseLabels(field: string, text: string): Labels {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidRequest(`${field}: is not valid JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidRequest(`${field}: must be a JSON object of label names and values`);
  }
  for (const [key, label] of Object.entries(value)) {
    if (typeof label !== "string") {
      throw invalidRequest(`${field}: the value of ${JSON.stringify(key.slice(0, 128))} must be a string`);
    }
  }
  return value as Labels;
}

/** @throws ApiFailure (HTTP 400) that names `field` when there are too many labels or one is too long */
export function checkLabelLimits(field: string, labels: Labels, limits: LabelLimits): void {
  const entries = Object.entries(labels);
  if (entries.length > limits.count) {
    throw invalidRequest(`${field}: ${entries.length} labels are more than the ${limits.count} allowed`);
  }
  for (const [key, value] of entries) {
    if (key.length > limits.keyLength) {
      throw invalidRequest(`${field}: a label's name is longer than ${limits.keyLength} characters`);
    }
    if (value.length > limits.valueLength) {
      throw invalidRequest(
        `${field}: the value of ${JSON.stringify(key)} is longer than ${limits.valueLength} characters`,
      );
    }
  }
}

/** Whether the labels contain all pairs exactly, upper and lower case included (AGB list tests). */
export function hasPairs(labels: Labels, pairs: readonly (readonly [key: string, value: string])[]): boolean {
  return pairs.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}
