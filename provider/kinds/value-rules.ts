/**
 * Rules for the values of single properties. Each returns what is wrong with a value, in words that follow the path of its
 * property, and `undefined` when nothing is.
 *
 * The types of the kinds use them, and so do the constructors of components, which check before anything is created. Programs
 * do not load schemas, so this file has none.
 */
import { posix } from "node:path";
import { describeType } from "../messages/problem";

/** How many labels of its own the provider sets at least: project, stack, stack id, resource, and the create label. */
export const leastOwnLabels = 5;

/** The longest time limit of a command, in seconds. */
export const longestCommandSeconds = 86_400;

/** Names and ids are not blank. */
export function blankProblem(text: string): string | undefined {
  return text.trim() === "" ? "must not be blank" : undefined;
}

/** No shell can take a NUL character. */
export function nulProblem(text: string): string | undefined {
  return text.includes("\0") ? "must not contain a NUL character" : undefined;
}

/** The type of a number of seconds, and its range. */
export function secondsProblem(value: unknown, longest?: number): string | undefined {
  if (typeof value !== "number") {
    return `must be a number of seconds, not ${describeType(value)}`;
  }
  const isFine = Number.isInteger(value) && value >= 1 && value <= (longest ?? Number.POSITIVE_INFINITY);
  return isFine
    ? undefined
    : `must be a whole number of seconds, ${longest === undefined ? "1 or more" : `1 to ${longest}`}`;
}

/** The name of a context. AGB's SDK trims names, so a name with blanks around it would never be found as it was declared. */
export function contextNameProblem(name: string): string | undefined {
  return blankProblem(name) ?? (name === name.trim() ? undefined : "must not begin or end with a blank");
}

/** Where a session mounts a context. With `..` the same folder would have several names, and AGB's status could not be matched. */
export function mountPathProblem(path: string): string | undefined {
  if (!path.startsWith("/")) {
    return "must be an absolute path, such as /home/user/data";
  }
  return /(^|\/)\.\.?(\/|$)/.test(path) ? "must not go through . or .." : undefined;
}

/** Where files are put. One place has one name, so that two resources for the same file can be found. */
export function filePathProblem(path: string): string | undefined {
  if (!path.startsWith("/")) {
    return "must be an absolute path, such as /home/user/app";
  }
  if (path === "/" || posix.normalize(path) !== path || path.endsWith("/")) {
    return "must be the path of a file or folder without . or .., without doubled slashes and without one at the end";
  }
  return path.includes("\0") || /\p{Surrogate}/u.test(path) ? "has characters that no path can have" : undefined;
}

/** Where a command runs. */
export function directoryProblem(path: string): string | undefined {
  return nulProblem(path) ?? (path.startsWith("/") ? undefined : "must be an absolute path");
}

/** Something wrong with one variable of an environment. */
export interface VariableProblem {
  readonly name: string;
  readonly reason: string;
  readonly isAboutName: boolean;
  /** Whether the value has the wrong type. */
  readonly isAboutType: boolean;
}

/** Finds every problem with environment variables. */
export function variableProblems(variables: Readonly<Record<string, unknown>>): VariableProblem[] {
  return Object.entries(variables).flatMap(([name, value]) => {
    const ofName = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
      ? undefined
      : "the key must consist of letters, digits and underscores, and not begin with a digit";
    const isAboutType = typeof value !== "string";
    const ofValue = isAboutType ? `must be a string, not ${describeType(value)}` : nulProblem(value);
    return [
      ...(ofName === undefined ? [] : [{ name, reason: ofName, isAboutName: true, isAboutType: false }]),
      ...(ofValue === undefined ? [] : [{ name, reason: ofValue, isAboutName: false, isAboutType }]),
    ];
  });
}

/** What a source of files must be. */
export const sourceType = 'a Pulumi asset or archive, such as new pulumi.asset.FileArchive("./app")';

/** The source of files, as `describeAssets` describes it. */
export function sourceProblem(source: object): string | undefined {
  if ("remote" in source) {
    return "is a remote asset, which is not downloaded; download it, or let a command in the session do it";
  }
  return Object.values(source).filter((value) => value !== undefined).length === 1
    ? undefined
    : `must be ${sourceType}`;
}
