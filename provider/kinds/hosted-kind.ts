/**
 * What a host of resource kinds works with, in Pulumi's words. Nothing here knows of AGB or of a certain host: together
 * with `hosts/` it could serve another provider. Imports nothing but the shape of a problem.
 */
import type { Problem } from "../problem";

/** A resource's properties as Pulumi carries them. */
export type Properties = Record<string, unknown>;

/** Operations that a program may limit. */
export type LimitedOperation = "create" | "update" | "delete";

/** What a host knows of the resource that an operation is for. */
export interface Caller {
  /** Name of the resource in the program; `undefined` when the host does not know it. */
  readonly resource?: string | undefined;
  /** Limit of the operation, in seconds, where the host has one of its own. */
  readonly limitSeconds?: number | undefined;
  /** Tells the user something beside the result. */
  say(message: string): void;
}

/** Inputs that Pulumi stores and compares, or what is wrong with them. */
export interface CheckedInputs {
  readonly inputs: Properties;
  /** An empty path: it concerns no property, such as a missing key. */
  readonly problems: readonly Problem[];
}

/** What the change from one state to the next inputs means. */
export interface Difference {
  /** Names of the inputs that differ. */
  readonly changed: readonly string[];
  /** Those of them that only a new resource can have. */
  readonly replaces: readonly string[];
  /** Whether an update has something to finish although no input differs. */
  readonly isUnfinished: boolean;
  /** Whether the old resource must go before its replacement is made. */
  readonly deleteBeforeReplace: boolean;
}

/** A resource as a read found it. */
export interface FoundResource {
  readonly outputs: Properties;
  /** The inputs that would have led to it; `undefined` where the inputs that Pulumi has stay as they are. */
  readonly inputs: Properties | undefined;
}

/**
 * One kind of resource as a host drives it. Each method that fails throws a `ResourceError`; properties that come in
 * hold only what the kind declares, and those that go out only what Pulumi can carry.
 */
export interface HostedKind {
  /** Finds everything that is wrong with what a program declares. Values that are not known yet pass. */
  check(news: Properties, caller: Caller): Promise<CheckedInputs>;
  diff(olds: Properties, news: Properties): Difference;
  create(inputs: Properties, caller: Caller): Promise<{ readonly id: string; readonly outputs: Properties }>;
  /**
   * @param known what the state holds; nothing for a resource that a program looks up by its id
   * @returns `undefined` when it is certainly gone
   */
  read(id: string, known: Properties, caller: Caller): Promise<FoundResource | undefined>;
  /** @returns the outputs */
  update(id: string, olds: Properties, news: Properties, caller: Caller): Promise<Properties>;
  /** Deletes the resource. One that is gone is a success. */
  delete(id: string, known: Properties, caller: Caller): Promise<void>;
}

/** An error as the user of Pulumi sees it: what failed, for which resource, why, and what to do next. */
export class ResourceError extends Error {
  /** @param headline what failed, for which resource */
  constructor(
    readonly headline: string,
    readonly details: string,
    options?: ErrorOptions,
  ) {
    super(`${headline}: ${details}`, options);
  }
}

/** The resource exists but is not as declared: it belongs into the state, and the next `up` is to update it. */
export class UnfinishedError extends ResourceError {
  /**
   * @param resource kind and id, such as `AgbSession s-1`
   * @param properties what the state is to hold of it
   */
  constructor(
    resource: string,
    readonly id: string,
    readonly properties: Properties,
    readonly reasons: string[],
  ) {
    super(`${resource} is not as declared`, reasons.join("\n"));
  }
}
