import { randomBytes } from "node:crypto";
import type { Labels } from "../api/labels";

/**
 * The labels that say which stack and which create a session belongs to. AGB's create has no idempotency token, and AGB
 * does not say when a session was created. These labels keep what a lost reply or a killed run would otherwise lose.
 * The names are for people; only `stackId` tells a stack from others of the same name. Only sessions of preview
 * environments carry the repository's id, and only sessions that outlive their resource carry `retain`.
 */
export const ownershipKeys = {
  /** Name of the Pulumi project. */
  project: "pulumi-project",
  /** Name of the stack. */
  stack: "pulumi-stack",
  /** Random id of the stack, the `id` of its `AgbStackIdentity`. It tells the stack from others of the same name. */
  stackId: "pulumi-stack-id",
  /** Name of the resource in the program. */
  resource: "pulumi-resource",
  /** Time of the create and a random part. If the reply to a create is lost, the provider finds the session by it. */
  create: "pulumi-create",
  /** Id of the repository at GitHub or GitLab. Only sessions of preview environments have it. */
  repository: "pulumi-repository",
  /** `true` if the session keeps running when its resource is deleted (`retainOnDelete`). No sweep releases it. */
  retain: "pulumi-retain",
} as const;

/**
 * Stack configuration keys for the id of the repository that a preview environment belongs to. Programs read the first. A
 * plugin sees only the second, which is a setting.
 */
export const repositoryConfigKeys = ["preview:repository", "agb:repository"] as const;

/** Prefix of the provider's own keys. Programs may not declare them. */
export const reservedPrefix = "pulumi-";

/**
 * Keys whose values say who owns a session. Of the other two, one changes with each create and one says what the owner
 * wants.
 */
export const ownerKeys = [
  ownershipKeys.project,
  ownershipKeys.stack,
  ownershipKeys.stackId,
  ownershipKeys.resource,
  ownershipKeys.repository,
] as const;

/** Who declares a session. */
export interface Owner {
  readonly project: string;
  readonly stack: string;
  /** Name of the resource in the program. */
  readonly resource: string;
  /** Id of the repository at its forge, such as `github.com/repositories/81`; `undefined` when it is not known. */
  readonly repository?: string | undefined;
  /**
   * Whether the session keeps running when its resource is deleted (the resource option `retainOnDelete`). Default: no.
   */
  readonly retains?: boolean;
}

/** The labels that name the owner, without the stack's id: it is known only while the engine runs. */
export function ownerLabels(owner: Owner): Labels {
  return {
    [ownershipKeys.project]: owner.project,
    [ownershipKeys.stack]: owner.stack,
    [ownershipKeys.resource]: owner.resource,
    ...(owner.repository !== undefined && { [ownershipKeys.repository]: owner.repository }),
    ...(owner.retains && { [ownershipKeys.retain]: "true" }),
  };
}

/**
 * Creates the id of a stack: 16 random hexadecimal digits, created once and kept in the stack's state. Names do not
 * identify a stack: two backends or organizations may both have `shop/dev` with one AGB account.
 */
export function newStackId(): string {
  return randomBytes(8).toString("hex");
}

/** Tells whether a string is the id of a stack: one of `newStackId`, or that of a provider. */
export function isStackId(text: string): boolean {
  return /^[0-9a-f]{16}$/.test(text) || isProviderId(text);
}

/** Tells whether the id of a stack is that of its provider, as with a plugin: the UUID that Pulumi gives a provider. */
export function isProviderId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/**
 * Tells whether a string is the id of a repository at its forge. A program may use the configuration key for something
 * else.
 */
export function isRepositoryId(text: string | undefined): text is string {
  return text !== undefined && /^[a-z0-9.-]{1,200}(:\d{1,5})?\/(repositories|projects)\/[1-9]\d{0,19}$/.test(text);
}

/** Tells whether a label is one of the provider's own. */
export function isReserved(key: string): boolean {
  return key.startsWith(reservedPrefix);
}

/**
 * Creates the value of the create label: the time in UTC to the second and a random part, such as
 * `20261122T164726Z-9f86d081884c`. Created once per create. A session whose create reply was lost is found by it.
 */
export function newCreateToken(now: Date): string {
  const time = now.toISOString().replace(/\.\d+/, "").replace(/[-:]/g, "");
  return `${time}-${randomBytes(6).toString("hex")}`;
}

/** Time at which a create token was created; `undefined` when the string is not one. */
export function createTokenTime(token: string): Date | undefined {
  const parts = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-[0-9a-f]{12}$/.exec(token);
  if (parts === null) {
    return undefined;
  }
  const [, year, month, day, hour, minute, second] = parts;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/** The labels without the create label, which is not an input: each create has a new one. */
export function withoutCreateToken(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => key !== ownershipKeys.create));
}
