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

/**
 * The longest script and the longest standard input, in bytes of UTF-8. Pulumi stores both in the state, twice, and each
 * 50 KiB take a call to AGB.
 */
export const longestTextBytes = 1024 * 1024;

/** The longest variable with its name, in bytes. Linux refuses to start a program with one of 128 KiB. */
export const longestVariableBytes = 120_000;

/** The longest environment, in bytes. Linux refuses to start a program with more than 2 MiB, with all that a session adds. */
export const longestEnvironmentBytes = 1024 * 1024;

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

/** A script must fit into the state, and a session must be able to take it. */
export function scriptSizeProblem(script: string): string | undefined {
  const remedy = "put the script into the session as a file, and run that file";
  return sizeProblem(Buffer.byteLength(script), longestTextBytes, remedy);
}

/** The same for the standard input of a command. */
export function stdinSizeProblem(stdin: string): string | undefined {
  return sizeProblem(Buffer.byteLength(stdin), longestTextBytes, readFileRemedy);
}

const readFileRemedy = "put it into the session as a file, and read that file in the command";

function sizeProblem(sizeBytes: number, longestBytes: number, remedy: string): string | undefined {
  return sizeBytes > longestBytes
    ? `has ${sizeBytes} bytes, but at most ${longestBytes} are possible; ${remedy}`
    : undefined;
}

/** Something wrong with one variable of an environment. */
export interface VariableProblem {
  readonly name: string;
  readonly reason: string;
  readonly about: "name" | "type" | "value" | "size";
}

/** Finds every problem with environment variables, except their total size. */
export function variableProblems(variables: Readonly<Record<string, unknown>>): VariableProblem[] {
  return Object.entries(variables).flatMap(([name, value]) => {
    const isString = typeof value === "string";
    const ofSize = sizeProblem(variableBytes(name, value), longestVariableBytes, readFileRemedy);
    const reasons = {
      name: /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
        ? undefined
        : "the key must consist of letters, digits and underscores, and not begin with a digit",
      type: isString ? undefined : `must be a string, not ${describeType(value)}`,
      value: isString ? nulProblem(value) : undefined,
      size: ofSize === undefined ? undefined : `with its name, ${ofSize}`,
    };
    const about = Object.keys(reasons) as (keyof typeof reasons)[];
    return about.flatMap((what) => {
      const reason = reasons[what];
      return reason === undefined ? [] : [{ name, reason, about: what }];
    });
  });
}

/** The total size of environment variables. */
export function environmentSizeProblem(variables: Readonly<Record<string, unknown>>): string | undefined {
  const sizes = Object.entries(variables).map(([name, value]) => variableBytes(name, value));
  const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
  const problem = sizeProblem(sizeBytes, longestEnvironmentBytes, readFileRemedy);
  return problem === undefined ? undefined : `with all names, ${problem}`;
}

function variableBytes(name: string, value: unknown): number {
  return typeof value === "string" ? Buffer.byteLength(`${name}=${value}`) : 0;
}

/** What a source of files must be. */
export const sourceType = "a Pulumi asset or archive, such as a FileArchive of a folder";

/** The source of files, as `describeAssets` describes it. */
export function sourceProblem(source: object): string | undefined {
  if ("remote" in source) {
    return "is a remote asset, which is not downloaded; download it, or let a command in the session do it";
  }
  return Object.values(source).filter((value) => value !== undefined).length === 1
    ? undefined
    : `must be ${sourceType}`;
}
