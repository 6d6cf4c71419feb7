import type { Labels } from "../api/labels";
import { quoted } from "../api/outside-text";
import type { MessageCode } from "../messages/message-codes";
import { describeType } from "../messages/problem";
import { isReserved, reservedPrefix } from "./ownership";

/**
 * Limits of a session's labels, the provider's own included. AGB documents none; these are what the client of its
 * sibling platform enforces, so they are known to be safe. It is written in Java, so a character is a UTF-16 unit.
 */
export const labelLimits = { count: 20, keyCharacters: 128, valueCharacters: 256 } as const;

/** Something wrong with one label of a set. */
export interface LabelProblem {
  readonly key: string;
  readonly reason: string;
  readonly code: MessageCode;
  /** Whether the key is wrong, whatever its value. */
  readonly isAboutKey: boolean;
}

/** Finds every problem with a set of labels. */
export function labelProblems(labels: Readonly<Record<string, unknown>>): LabelProblem[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const [ofKey, ofValue] = [keyProblem(key), valueProblem(value)];
    return [
      ...(ofKey === undefined ? [] : [{ key, ...ofKey, isAboutKey: true }]),
      ...(ofValue === undefined ? [] : [{ key, ...ofValue, isAboutKey: false }]),
    ];
  });
}

/** Says that the labels from all sources together are too many; `undefined` when they are not. */
export function labelCountProblem(own: number, declared: number, defaults: number): string | undefined {
  const count = own + declared + defaults;
  const parts = `${declared} declared, ${defaults} default, ${own} of the provider`;
  return count > labelLimits.count
    ? `${count} labels in total (${parts}); the limit is ${labelLimits.count}`
    : undefined;
}

/** Tells whether two label sets are the same, whatever their order. */
export function sameLabels(one: Labels, other: Labels): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => hasLabel(other, key, one[key]));
}

/** Returns whether a key matches one of the patterns: a key, or a prefix that ends in `*`. */
export function isIgnored(key: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.endsWith("*") ? key.startsWith(pattern.slice(0, -1)) : key === pattern));
}

/**
 * The labels of other tools: those that match a pattern and are not wanted here. The provider leaves them alone.
 */
export function foreignLabels(found: Labels, wanted: Labels, patterns: readonly string[]): Labels {
  return Object.fromEntries(
    Object.entries(found).filter(([key]) => !Object.hasOwn(wanted, key) && isIgnored(key, patterns)),
  );
}

/** Returns the labels without some others. */
export function withoutLabels(labels: Labels, others: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !Object.hasOwn(others, key)));
}

/** Tells whether the labels hold the key, and with that value. */
export function hasLabel(labels: Labels, key: string, value: unknown): boolean {
  return Object.hasOwn(labels, key) && labels[key] === value;
}

/** Describes each label that is not as wanted, without values. */
export function labelDifferences(wanted: Labels, found: Labels): string[] {
  const differences = Object.keys(wanted)
    .filter((key) => !hasLabel(found, key, wanted[key]))
    .map((key) => (Object.hasOwn(found, key) ? `${quoted(key)} has another value` : `${quoted(key)} is missing`));
  const survivors = Object.keys(found)
    .filter((key) => !Object.hasOwn(wanted, key))
    .map((key) => `${quoted(key)} is still there, although it was removed`);
  return [...differences, ...survivors];
}

/** Says what is wrong with a pattern of labels to ignore; `undefined` when nothing is. */
export function ignorePatternProblem(pattern: unknown): string | undefined {
  if (typeof pattern !== "string") {
    return `must be a string, not ${describeType(pattern)}`;
  }
  if (pattern.trim() === "") {
    return "is blank";
  }
  if (pattern.slice(0, -1).includes("*")) {
    return "may have * only at its end";
  }
  return undefined;
}

type Reason = Pick<LabelProblem, "reason" | "code">;

function keyProblem(key: string): Reason | undefined {
  if (key.trim() === "") {
    return { reason: "the key is blank", code: "AGB105" };
  }
  if (key === "__proto__") {
    return { reason: "Pulumi cannot store this key; choose another one", code: "AGB105" };
  }
  if (isReserved(key)) {
    return {
      reason: `keys that begin with "${reservedPrefix}" are reserved for the provider; choose another key`,
      code: "AGB106",
    };
  }
  if (key.length > labelLimits.keyCharacters) {
    return {
      reason: `the key has ${key.length} characters; the limit is ${labelLimits.keyCharacters}`,
      code: "AGB105",
    };
  }
  return undefined;
}

function valueProblem(value: unknown): Reason | undefined {
  if (typeof value !== "string") {
    return { reason: `must be a string, not ${describeType(value)}`, code: "AGB103" };
  }
  if (value.trim() === "") {
    return { reason: "the value is blank; leave the label out instead", code: "AGB105" };
  }
  if (value.length > labelLimits.valueCharacters) {
    return {
      reason: `the value has ${value.length} characters; the limit is ${labelLimits.valueCharacters}`,
      code: "AGB105",
    };
  }
  return undefined;
}
