import type { z } from "zod";
import { printable } from "../api/outside-text";
import { nearestName } from "../nearest-name";
import { describeType, type Problem, propertyPath } from "../problem";
import type { Properties } from "./hosted-kind";
import type { PropertiesOfKind } from "./kind";
import { isUnknown } from "./unknown";

type Issue = z.core.$ZodIssue;

/**
 * Finds every problem with what a program declares of a kind: names, types and rules of all properties, at any depth.
 * Values that a preview does not know pass. No reason holds a value, because any value may be secret.
 *
 * @param kindName such as `AgbSession`
 */
export function declarationProblems(kindName: string, properties: PropertiesOfKind, news: Properties): Problem[] {
  const declarable = Object.entries(properties).filter(([, property]) => isDeclarable(property));
  const names = declarable.map(([name]) => name);
  const misspelt = Object.keys(news)
    .filter((name) => !Object.hasOwn(properties, name) || !names.includes(name))
    .filter((name) => properties[name]?.declaredBy !== "provider");
  const meant = misspelt.map((name) => nearestName(name, names));
  const wrongNames = misspelt.map((name, index) => ({
    path: printable(name),
    reason: unknownNameReason(meant[index], kindName, names),
  }));
  const wrongValues = declarable
    // When its name is misspelt, it is missing for that reason. That is one problem, not two.
    .filter(([name]) => news[name] !== undefined || !meant.includes(name))
    .flatMap(([name, { type, example }]) =>
      issuesOf(type, news[name])
        .filter((issue) => !concernsUnknown(issue, news[name]))
        .flatMap((issue) => problemsOf(name, issue, news[name], example)),
    );
  return [...wrongNames, ...wrongValues];
}

/** Whether programs may declare a property. */
export function isDeclarable({ change, declaredBy }: PropertiesOfKind[string]): boolean {
  return change !== "output" && declaredBy !== "provider";
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
    case "unrecognized_keys": {
      const names = Object.keys((issue.inst as z.ZodObject | undefined)?.shape ?? {});
      // One line for each key, see `problemsOf`.
      return issue.keys.map((key) => unknownNameReason(nearestName(key, names), "it", names)).join("\n");
    }
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

function unknownNameReason(meant: string | undefined, owner: string, names: readonly string[]): string {
  return meant === undefined
    ? `no such property; ${owner} has ${names.join(", ")}`
    : `no such property; did you mean ${meant}?`;
}

/**
 * Whether an issue is about a value that is not known yet. Issues about keys stay, because keys are always known.
 */
function concernsUnknown(issue: Issue, value: unknown): boolean {
  const isAboutKey = issue.code === "custom" && issue.params?.["isAboutKey"] === true;
  return !isAboutKey && isUnknown(valueAt(value, issue.path));
}

function problemsOf(name: string, issue: Issue, value: unknown, example: string | undefined): Problem[] {
  const path = [name, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const reasons = issue.message.split("\n");
    return issue.keys.map((key, index) => ({ path: propertyPath([...path, key]), reason: reasons[index] ?? "" }));
  }
  const isMissing = issue.code !== "custom" && valueAt(value, issue.path) === undefined;
  const hint = issue.path.length === 0 && example !== undefined ? `, such as ${example}` : "";
  return [{ path: propertyPath(path), reason: isMissing ? `is required${hint}` : issue.message }];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (found, step) =>
      typeof found === "object" && found !== null ? (found as Record<PropertyKey, unknown>)[step] : undefined,
    value,
  );
}
