import { isHealthPath } from "../api/health-path";
import { isLinkedPort, linkedPorts } from "../api/linked-ports";
import { nearestName } from "../nearest-name";
import { isLater } from "./later-values";
import type { PreviewEnvironmentArgs } from "./preview-environment";

const known = {
  "": ["imageId", "labels", "idleTimeoutSeconds", "policyId", "keepAlive", "cache", "files", "setup", "app"],
  app: ["command", "port", "healthPath", "workingDirectory", "environment", "startTimeoutSeconds"],
  cache: ["path", "name", "contextId", "adopt", "forceDestroy"],
  setup: ["command", "workingDirectory", "environment", "timeoutSeconds"],
} as const;

const longestStartSeconds = 3_600;

/**
 * Finds everything that is wrong with the arguments of a `PreviewEnvironment`, as far as the program knows their values. What
 * each resource checks itself is left to it, if that happens before anything is created.
 */
export function previewProblems(args: PreviewEnvironmentArgs): string[] {
  if (!isObject(args)) {
    return ["the arguments must be an object"];
  }
  const { imageId, app, cache, files, setup } = args as Partial<Record<keyof PreviewEnvironmentArgs, unknown>>;
  return [
    ...unknownNames("", args, known[""]),
    ...problemIf(imageId === undefined, "imageId is missing"),
    ...(app === undefined ? ["app is missing"] : appProblems(app)),
    ...(cache === undefined ? [] : cacheProblems(cache)),
    ...(files === undefined ? [] : filesProblems(files)),
    ...(setup === undefined ? [] : setupProblems(setup)),
  ];
}

function appProblems(app: unknown): string[] {
  if (!isObject(app)) {
    return ["app must be an object"];
  }
  const { command, port, healthPath, workingDirectory, startTimeoutSeconds } = app;
  const { first, last } = linkedPorts;
  return [
    ...unknownNames("app.", app, known.app),
    ...commandProblems("app.command", command),
    ...problemIf(
      !isLinkedPort(port),
      `app.port must be a whole number from ${first} to ${last}: AGB links to no other port`,
    ),
    ...problemIf(
      healthPath !== undefined && !isHealthPath(healthPath),
      "app.healthPath must be a path such as /health, without blanks",
    ),
    ...directoryProblems("app.workingDirectory", workingDirectory),
    ...problemIf(
      startTimeoutSeconds !== undefined && !isWithin(startTimeoutSeconds, longestStartSeconds),
      `app.startTimeoutSeconds must be a whole number from 1 to ${longestStartSeconds}`,
    ),
  ];
}

function cacheProblems(cache: unknown): string[] {
  if (!isObject(cache)) {
    return ["cache must be an object"];
  }
  const { path, name, contextId, adopt, forceDestroy } = cache;
  const isOwn = name !== undefined || adopt !== undefined || forceDestroy !== undefined;
  return [
    ...unknownNames("cache.", cache, known.cache),
    ...(path === undefined ? ["cache.path is missing"] : directoryProblems("cache.path", path)),
    ...problemIf(
      contextId !== undefined && isOwn,
      "cache.contextId names a context of others, so name, adopt and forceDestroy have no meaning beside it",
    ),
  ];
}

function filesProblems(files: unknown): string[] {
  if (!isObject(files) || isLater(files)) {
    return ["files must be an object with a path for each asset or archive"];
  }
  return Object.keys(files).flatMap((path) => directoryProblems(`files[${JSON.stringify(path)}]`, path));
}

function setupProblems(setup: unknown): string[] {
  if (!Array.isArray(setup)) {
    return ["setup must be a list of commands"];
  }
  return setup.flatMap((entry: unknown, index) => {
    const name = `setup[${index}]`;
    if (isLater(entry) || !isObject(entry)) {
      return commandProblems(name, entry);
    }
    return [
      ...unknownNames(`${name}.`, entry, known.setup),
      ...commandProblems(`${name}.command`, entry["command"]),
      ...directoryProblems(`${name}.workingDirectory`, entry["workingDirectory"]),
    ];
  });
}

function commandProblems(name: string, command: unknown): string[] {
  if (isLater(command)) {
    return [];
  }
  return problemIf(typeof command !== "string" || command.trim() === "", `${name} must be a command`);
}

function directoryProblems(name: string, path: unknown): string[] {
  const isFine = path === undefined || isLater(path) || (typeof path === "string" && path.startsWith("/"));
  return problemIf(!isFine, `${name} must be an absolute path in the session`);
}

function unknownNames(prefix: string, value: object, names: readonly string[]): string[] {
  const unknown = Object.keys(value).filter((name) => !names.includes(name));
  return unknown.map((name) => {
    const meant = nearestName(name, names);
    const advice = meant === undefined ? `the names are ${names.join(", ")}` : `did you mean ${prefix}${meant}?`;
    return `${prefix}${name} is unknown; ${advice}`;
  });
}

function problemIf(isProblem: boolean, problem: string): string[] {
  return isProblem ? [problem] : [];
}

function isWithin(value: unknown, longest: number): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= longest;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
