import * as pulumi from "@pulumi/pulumi";
import { isHealthPath } from "../api/health-path";
import { isLinkedPort, linkedPorts } from "../api/linked-ports";
import {
  blankProblem,
  contextNameProblem,
  directoryProblem,
  environmentSizeProblem,
  filePathProblem,
  leastOwnLabels,
  longestCommandSeconds,
  mountPathProblem,
  nulProblem,
  scriptSizeProblem,
  secondsProblem,
  sourceProblem,
  sourceType,
  variableProblems,
} from "../kinds/value-rules";
import { labelCountProblem, labelProblems } from "../lifecycle/labels";
import { describeType, propertyPath } from "../messages/problem";
import { nearestName } from "../nearest-name";
import { describeAsset } from "./asset-description";
import { withoutUndefined } from "./given-values";
import { isLater } from "./later-values";
import type {
  PreviewAppArgs,
  PreviewCacheArgs,
  PreviewEnvironmentArgs,
  PreviewSetupCommand,
} from "./preview-environment-args";
import { factLabels } from "./preview-labels";
import { programError } from "./program-error";

type Path = readonly PropertyKey[];

/** Says everything that is wrong with the value of an argument, one problem in each string. */
type Check = (value: unknown, path: Path) => string[];

const longestStartSeconds = 3_600;

/** Variables that the app's command may not get, and why. */
const reservedVariables = {
  PORT: "is set to app.port; remove it",
  HOME: "would move the folder with the app's log; set it in app.command instead",
} as const;

/**
 * Refuses arguments of a `PreviewEnvironment` that cannot work, as far as the program knows their values. Otherwise a session or
 * a context would exist already when the resource that takes an argument checks it.
 *
 * Left to the resources are values that are known only later, the total of labels with the default ones, what is inside of an
 * archive, and the files on the disk.
 *
 * @throws RunError that lists everything that is wrong
 */
export function refuseWrongArguments(component: string, args: PreviewEnvironmentArgs): void {
  refuse(component, required(plain(environment))(args, []), "Correct them. Nothing of it was created.");
}

/**
 * Checks an argument of the app, on which its start script depends, when its value is known. One that is known already was
 * checked by `refuseWrongArguments`.
 */
export function checkedLater<Value>(
  component: string,
  name: "command" | "environment",
  value: pulumi.Input<Value>,
): pulumi.Input<Value> {
  if (!isLater(value)) {
    return value;
  }
  return pulumi.output(value).apply((known) => {
    refuse(component, app[name](known, ["app", name]), "Correct them.");
    return known;
  }) as pulumi.Output<Value>;
}

function refuse(component: string, problems: readonly string[], advice: string): void {
  if (problems.length > 0) {
    const lines = problems.map((problem) => `  ${problem}`);
    const message = [`PreviewEnvironment "${component}": wrong arguments:`, ...lines, advice].join("\n");
    throw programError(message, "AGB981");
  }
}

// The checks of single values.

const flag: Check = (value, path) =>
  reasons(path, typeof value === "boolean" ? undefined : `must be true or false, not ${describeType(value)}`);

function text(...rules: readonly ((text: string) => string | undefined)[]): Check {
  return (value, path) => {
    if (typeof value !== "string") {
      return reasons(path, `must be a string, not ${describeType(value)}`);
    }
    return reasons(
      path,
      rules.map((rule) => rule(value)).find((reason) => reason !== undefined),
    );
  };
}

function seconds(longest?: number): Check {
  return (value, path) => reasons(path, secondsProblem(value, longest));
}

const script = text(blankProblem, nulProblem, scriptSizeProblem);

const directory = text(directoryProblem);

const port: Check = (value, path) => {
  const { first, last } = linkedPorts;
  const reason = `must be a whole number from ${first} to ${last}: AGB links to no other port`;
  return reasons(path, isLinkedPort(value) ? undefined : reason);
};

const healthPath: Check = (value, path) =>
  reasons(path, isHealthPath(value) ? undefined : "must be a path such as /health, without blanks");

const variables: Check = (value, path) => {
  if (!isObject(value)) {
    return reasons(path, "must be an object of strings");
  }
  const known = knownPart(value);
  return [
    ...variableProblems(known).flatMap(({ name, reason }) => reasons([...path, name], reason)),
    ...reasons(path, environmentSizeProblem(known)),
  ];
};

const appVariables: Check = (value, path) => {
  const given = isObject(value) ? withoutUndefined(value) : {};
  const reserved = Object.entries(reservedVariables).filter(([name]) => Object.hasOwn(given, name));
  return [...variables(value, path), ...reserved.flatMap(([name, reason]) => reasons([...path, name], reason))];
};

/** Checks the labels together with those that the component sets, which may come from the configuration. */
const labels: Check = (value, path) => {
  if (!isObject(value)) {
    return reasons(path, "must be an object of strings");
  }
  const all = { ...factLabels(), ...knownPart(value) };
  return [
    ...labelProblems(all).flatMap(({ key, reason }) => reasons([...path, key], reason)),
    ...reasons(path, labelCountProblem(leastOwnLabels, Object.keys(all).length, 0)),
  ];
};

/** What is inside of an archive is a promise, which the file's own check awaits. */
const source: Check = (value, path) => {
  const described = describeAsset(value);
  if (!isObject(described) || described === value) {
    return reasons(path, `must be ${sourceType}`);
  }
  return reasons(path, sourceProblem(described));
};

const files: Check = (value, path) => {
  if (!isObject(value) || describeAsset(value) !== value) {
    return reasons(path, "must be an object with a path for each asset or archive");
  }
  const given = Object.entries(withoutUndefined(value));
  const single = given.filter(([, each]) => pulumi.asset.Asset.isInstance(each)).map(([name]) => name);
  return given.flatMap(([name, each]) => {
    const above = single.find((file) => name.startsWith(`${file}/`));
    return [
      ...reasons([...path, name], filePathProblem(name)),
      ...reasons([...path, name], above && `is below ${JSON.stringify(above)}, which is a file`),
      ...later(source)(each, [...path, name]),
    ];
  });
};

/** A context of others has its own name, and nobody here decides about its files. */
const cacheOwner: Check = (value, path) => {
  const { contextId, name, adopt, forceDestroy } = value as PreviewCacheArgs;
  const isOwn = name !== undefined || adopt !== undefined || forceDestroy !== undefined;
  const reason = "names a context of others, so name, adopt and forceDestroy have no meaning beside it";
  return reasons([...path, "contextId"], contextId !== undefined && isOwn ? reason : undefined);
};

// The arguments. A check for each is required by the types.

const cache = {
  path: required(later(text(blankProblem, mountPathProblem))),
  name: later(text(contextNameProblem)),
  contextId: later(text(blankProblem)),
  adopt: later(flag),
  forceDestroy: later(flag),
} satisfies Record<keyof PreviewCacheArgs, Check>;

const setupCommand = object({
  command: required(later(script)),
  workingDirectory: later(directory),
  environment: later(variables),
  timeoutSeconds: later(seconds(longestCommandSeconds)),
} satisfies Record<keyof PreviewSetupCommand, Check>);

const setup: Check = (value, path) => {
  if (!Array.isArray(value)) {
    return reasons(path, "must be a list of commands");
  }
  return value.flatMap((entry: unknown, index) => {
    const check = isObject(entry) && !isLater(entry) ? setupCommand : required(later(script));
    return check(entry, [...path, index]);
  });
};

const app = {
  command: required(later(script)),
  port: required(plain(port)),
  healthPath: plain(healthPath),
  workingDirectory: later(directory),
  environment: later(appVariables),
  startTimeoutSeconds: plain(seconds(longestStartSeconds)),
} satisfies Record<keyof PreviewAppArgs, Check>;

const environment = object({
  imageId: required(later(text(blankProblem))),
  // Those of the configuration may be wrong even if none are declared.
  labels: (value, path) => later(labels)(value === undefined ? {} : value, path),
  idleTimeoutSeconds: later(seconds()),
  policyId: later(text(blankProblem)),
  keepAlive: later(flag),
  cache: plain((value, path) => [...object(cache)(value, path), ...(isObject(value) ? cacheOwner(value, path) : [])]),
  files: plain(files),
  setup: plain(setup),
  app: required(plain(object(app))),
} satisfies Record<keyof PreviewEnvironmentArgs, Check>);

// What they are made of.

/** An argument that must be given. */
function required(check: Check): Check {
  return (value, path) =>
    value === undefined ? reasons(path, path.length > 0 ? "is required" : "must be an object") : check(value, path);
}

/** An argument that may be an output or a promise. */
function later(check: Check): Check {
  return (value, path) => (value === undefined || isLater(value) ? [] : check(value, path));
}

/** An argument that the component itself needs when it is constructed. */
function plain(check: Check): Check {
  return (value, path) =>
    isLater(value) ? reasons(path, "must be a plain value, not an output or a promise") : later(check)(value, path);
}

/** An object with these properties and no others. */
function object(checks: Readonly<Record<string, Check>>): Check {
  const names = Object.keys(checks);
  return (value, path) => {
    if (!isObject(value)) {
      return reasons(path, "must be an object");
    }
    const unknown = Object.keys(value).filter((name) => !names.includes(name));
    const meant = unknown.map((name) => nearestName(name, names));
    return [
      ...unknown.flatMap((name, index) => reasons([...path, name], unknownArgument(meant[index], names))),
      // Where its name is misspelt, that it is missing is the same problem.
      ...names
        .filter((name) => value[name] !== undefined || !meant.includes(name))
        .flatMap((name) => checks[name]?.(value[name], [...path, name]) ?? []),
    ];
  };
}

function unknownArgument(meant: string | undefined, names: readonly string[]): string {
  return `unknown argument; ${meant === undefined ? `the names are ${names.join(", ")}` : `did you mean ${meant}?`}`;
}

/** The properties that are given. A string takes the place of a value that is known only later. */
function knownPart(value: object): Readonly<Record<string, unknown>> {
  const entries = Object.entries(withoutUndefined(value));
  return Object.fromEntries(entries.map(([name, each]) => [name, isLater(each) ? "later" : each]));
}

function reasons(path: Path, reason: string | undefined): string[] {
  if (reason === undefined) {
    return [];
  }
  return [path.length === 0 ? `the arguments ${reason}` : `${propertyPath(path)}: ${reason}`];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
