import type { Labels } from "../api/labels";
import { quoted } from "../api/outside-text";
import { isReserved, reservedPrefix } from "./ownership";

/**
 * Limits of a session's labels, the provider's own included. AGB documents none; these are what the client of its
 * sibling platform enforces, so they are known to be safe. It is written in Java, so a character is a UTF-16 unit.
 */
export const labelLimits = { count: 20, keyCharacters: 128, valueCharacters: 256 } as const;

/** Something wrong with one property. */
export interface Problem {
  /** Path of the property, such as `labels["a b"]`. */
  readonly path: string;
  /** What is wrong, without the value: it may be secret. */
  readonly reason: string;
}

/** Path of one label, written as Pulumi writes property paths. */
export function labelPath(property: string, key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? `${property}.${key}` : `${property}[${quoted(key)}]`;
}

/**
 * Finds everything that is wrong with declared labels.
 *
 * @param property name of the property that holds them, for the paths
 * @param isUnknown recognises values that a preview does not know yet; they are let through
 */
export function labelProblems(property: string, labels: unknown, isUnknown: (value: unknown) => boolean): Problem[] {
  if (labels === undefined || isUnknown(labels)) {
    return [];
  }
  if (typeof labels !== "object" || labels === null || Array.isArray(labels)) {
    return [{ path: property, reason: `must be an object of texts, not ${kindOf(labels)}` }];
  }
  return Object.entries(labels).flatMap(([key, value]) =>
    [keyProblem(key), isUnknown(value) ? undefined : valueProblem(value)]
      .filter((reason) => reason !== undefined)
      .map((reason) => ({ path: labelPath(property, key), reason })),
  );
}

/** Finds everything that is wrong with the patterns of labels to leave alone. */
export function ignoreProblems(property: string, patterns: unknown, isUnknown: (value: unknown) => boolean): Problem[] {
  if (patterns === undefined || isUnknown(patterns)) {
    return [];
  }
  if (!Array.isArray(patterns)) {
    return [{ path: property, reason: `must be a list of keys, not ${kindOf(patterns)}` }];
  }
  return patterns.flatMap((pattern, index) => {
    const reason = isUnknown(pattern) ? undefined : patternProblem(pattern);
    return reason === undefined ? [] : [{ path: `${property}[${index}]`, reason }];
  });
}

/** Finds out whether the labels of all origins together are too many. */
export function labelCountProblem(property: string, own: number, declared: number, defaults: number): Problem[] {
  const count = own + declared + defaults;
  if (count <= labelLimits.count) {
    return [];
  }
  const parts = `${declared} declared, ${defaults} by default, ${own} of the provider's own`;
  return [{ path: property, reason: `${count} labels in all (${parts}); the limit is ${labelLimits.count}` }];
}

/** Tells whether two label sets are the same, whatever their order. */
export function sameLabels(one: Labels, other: Labels): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => hasLabel(other, key, one[key]));
}

/** Tells whether a label is one of those that are left to other tools: a key, or a prefix that ends in `*`. */
export function isIgnored(key: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.endsWith("*") ? key.startsWith(pattern.slice(0, -1)) : key === pattern));
}

/**
 * The labels that other tools have set and that are to be left alone: those that match a pattern and that nobody here
 * has asked for.
 */
export function foreignLabels(found: Labels, wanted: Labels, patterns: readonly string[]): Labels {
  return Object.fromEntries(
    Object.entries(found).filter(([key]) => !Object.hasOwn(wanted, key) && isIgnored(key, patterns)),
  );
}

/** The labels less some others. */
export function withoutLabels(labels: Labels, others: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !Object.hasOwn(others, key)));
}

/** Tells whether the labels hold the key, and with that value. */
export function hasLabel(labels: Labels, key: string, value: unknown): boolean {
  return Object.hasOwn(labels, key) && labels[key] === value;
}

/** What became of the labels that were set: one sentence for each that is not as wanted, values left out. */
export function labelDifferences(wanted: Labels, found: Labels): string[] {
  const differences = Object.keys(wanted)
    .filter((key) => !hasLabel(found, key, wanted[key]))
    .map((key) => (Object.hasOwn(found, key) ? `${quoted(key)} has another value` : `${quoted(key)} is missing`));
  const survivors = Object.keys(found)
    .filter((key) => !Object.hasOwn(wanted, key))
    .map((key) => `${quoted(key)} is still there although it was dropped`);
  return [...differences, ...survivors];
}

function patternProblem(pattern: unknown): string | undefined {
  if (typeof pattern !== "string") {
    return `must be a text, not ${kindOf(pattern)}`;
  }
  if (pattern.trim() === "") {
    return "is blank";
  }
  if (pattern.slice(0, -1).includes("*")) {
    return "may hold * at its end only";
  }
  return undefined;
}

function keyProblem(key: string): string | undefined {
  if (key.trim() === "") {
    return "the key is blank";
  }
  if (key === "__proto__") {
    return "Pulumi cannot carry this key";
  }
  if (isReserved(key)) {
    return `keys that begin with "${reservedPrefix}" are the provider's own; choose another one`;
  }
  if (key.length > labelLimits.keyCharacters) {
    return `the key has ${key.length} characters; the limit is ${labelLimits.keyCharacters}`;
  }
  return undefined;
}

function valueProblem(value: unknown): string | undefined {
  if (typeof value !== "string") {
    return `must be a text, not ${kindOf(value)}`;
  }
  if (value.trim() === "") {
    return "the value is blank; leave the label out instead";
  }
  if (value.length > labelLimits.valueCharacters) {
    return `the value has ${value.length} characters; the limit is ${labelLimits.valueCharacters}`;
  }
  return undefined;
}

/** Name of a value's kind for messages, such as "a number" or "a list". */
export function kindOf(value: unknown): string {
  if (value === null) {
    return "null";
  }
  if (Array.isArray(value)) {
    return "a list";
  }
  return typeof value === "object" ? "an object" : typeof value === "string" ? "a text" : `a ${typeof value}`;
}
