import type { z } from "zod";
import type { MessageCode } from "../messages/message-codes";
import { describeType, type Problem, propertyPath } from "../messages/problem";
import { nearestName } from "../nearest-name";
import type { Properties } from "./hosted-kind";
import type { Property } from "./kind";
import { codeOfRule } from "./types";
import { isUnknown } from "./unknown";

type Issue = z.core.$ZodIssue;

/** A problem with details that `declarationProblems` needs. */
interface Finding extends Problem {
  readonly isMissing?: boolean;
  /** Path of the property that a misspelt name was most likely meant to be. */
  readonly meant?: string;
}

/** What a check needs of the declaration of a property. Without `change`, programs may declare it. */
type Checked = Pick<Property, "type" | "example" | "declaredBy"> & Partial<Pick<Property, "change">>;

/**
 * Finds every problem with what a program declares of a kind: names, types and rules of all properties, at any depth.
 * Accepts values that a preview does not know yet. No reason contains a value, because any value may be secret.
 *
 * @param kindName such as `AgbSession`
 * @param inPlugin see `isDeclarable`
 */
export function declarationProblems(
  kindName: string,
  properties: Readonly<Record<string, Checked>>,
  news: Properties,
  inPlugin = false,
): Problem[] {
  const declarable = Object.entries(properties).filter(([, property]) => isDeclarable(property, inPlugin));
  const names = declarable.map(([name]) => name);
  const wrongNames = Object.keys(news)
    .filter((name) => !names.includes(name))
    .filter((name) => !Object.hasOwn(properties, name) || properties[name]?.declaredBy !== "provider")
    .map((name) => wrongName([], name, kindName, names));
  const wrongValues = declarable.flatMap(([name, { type, example }]) =>
    issuesOf(type, news[name])
      .filter((issue) => !concernsUnknown(issue, news[name]))
      .flatMap((issue) => findingsOf(name, issue, news[name], example)),
  );
  const findings = [...wrongNames, ...wrongValues];
  const meant = findings.map((finding) => finding.meant);
  return (
    findings
      // Where its name is misspelt, that it is missing is the same problem.
      .filter(({ path, isMissing }) => !(isMissing && meant.includes(path)))
      .map(({ path, reason, code }) => ({ path, reason, code }))
  );
}

/**
 * Whether programs may declare a property.
 *
 * @param inPlugin whether they are programs of a plugin. Default: they construct the classes
 */
export function isDeclarable(
  { change, declaredBy }: Pick<Checked, "change" | "declaredBy">,
  inPlugin = false,
): boolean {
  return change !== "output" && declaredBy !== "provider" && (inPlugin || declaredBy !== "plugin-program");
}

function issuesOf(type: z.ZodType, value: unknown): readonly Issue[] {
  return isUnknown(value) ? [] : (type.safeParse(value, { error: reasonOf }).error?.issues ?? []);
}

/** The reason for an issue whose type has none of its own. */
function reasonOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${typeNames[issue.expected] ?? `of type ${issue.expected}`}, not ${describeType(issue.input)}`;
    case "invalid_value":
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "unrecognized_keys":
      // The names that there are: `findingsOf` makes a reason for each key, and is not given the type.
      return Object.keys((issue.inst as z.ZodObject | undefined)?.shape ?? {}).join(nameSeparator);
    default:
      return undefined;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

const nameSeparator = ", ";

/** @param owner what has the properties, for a message without a suggestion */
function wrongName(path: readonly PropertyKey[], name: string, owner: string, names: readonly string[]): Finding {
  const meant = nearestName(name, names);
  return {
    path: propertyPath([...path, name]),
    code: "AGB101",
    ...(meant === undefined
      ? { reason: `unknown property; ${owner} has ${names.join(nameSeparator)}` }
      : { reason: `unknown property; did you mean ${meant}?`, meant: propertyPath([...path, meant]) }),
  };
}

/** Whether an issue is about a value that is not known yet. One about a key stays: keys are always known. */
function concernsUnknown(issue: Issue, value: unknown): boolean {
  const isAboutKey = issue.code === "custom" && issue.params?.["isAboutKey"] === true;
  return !isAboutKey && isUnknown(valueAt(value, issue.path));
}

function findingsOf(name: string, issue: Issue, value: unknown, example: unknown): Finding[] {
  const path = [name, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => wrongName(path, key, "it", issue.message.split(nameSeparator)));
  }
  const isMissing = issue.code !== "custom" && valueAt(value, issue.path) === undefined;
  const hint = issue.path.length === 0 && example !== undefined ? `, such as ${example}` : "";
  return isMissing
    ? [{ path: propertyPath(path), reason: `is required${hint}`, code: "AGB102", isMissing }]
    : [{ path: propertyPath(path), reason: issue.message, code: codeOf(issue) }];
}

/** A rule that has no code of its own, see `ruleCode`, only says that the value is not allowed. */
function codeOf(issue: Issue): MessageCode {
  if (issue.code === "invalid_type") {
    return "AGB103";
  }
  return (issue.code === "custom" && codeOfRule(issue.params)) || "AGB104";
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (found, step) =>
      typeof found === "object" && found !== null ? (found as Record<PropertyKey, unknown>)[step] : undefined,
    value,
  );
}
