import { quoted } from "../api/outside-text";
import type { MessageCode } from "./message-codes";

/** A problem with one property that a user declares or configures. */
export interface Problem {
  /** Path of the property, such as `labels["a b"]`. Empty if the problem concerns no property. */
  readonly path: string;
  /** What is wrong, without the value: it may be secret. */
  readonly reason: string;
  /** The code of its entry in the documentation. */
  readonly code: MessageCode;
}

/** Writes a path as Pulumi writes property paths, such as `labels["a b"]` or `contextSyncs[0].path`. */
export function propertyPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") {
      return `${text}[${step}]`;
    }
    const name = String(step);
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      return text === "" ? name : `${text}.${name}`;
    }
    return `${text}[${quoted(name)}]`;
  }, "");
}

/** Describes the type of a value for messages, such as "a number" or "a list". */
export function describeType(value: unknown): string {
  if (value === null) {
    return "null";
  }
  if (value === undefined) {
    return "missing";
  }
  if (Array.isArray(value)) {
    return "a list";
  }
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
