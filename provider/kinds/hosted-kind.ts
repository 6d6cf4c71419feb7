/**
 * The interface between resource kinds and their hosts, in Pulumi's words. Nothing here knows AGB or a particular host:
 * together with `hosts/` it could serve another provider. Imports nothing but problems and the codes of messages.
 */
import { type MessageCode, withCode } from "../messages/message-codes";
import type { Problem } from "../messages/problem";

/** A resource's properties as Pulumi carries them. */
export type Properties = Record<string, unknown>;

/** Operations whose duration a program may limit. */
export type LimitedOperation = "create" | "update" | "delete";

/** What a host knows of the resource that an operation is for. */
export interface Caller {
  /** Name of the resource in the program; `undefined` when the host does not know it. */
  readonly resource?: string | undefined;
  /** Limit of the operation, in seconds, where the host has one of its own. */
  readonly limitSeconds?: number | undefined;
  /** Tells the user something in addition to the result. */
  say(message: string): void;
}

/** Inputs that Pulumi stores and compares, or what is wrong with them. */
export interface CheckedInputs {
  readonly inputs: Properties;
  readonly problems: readonly Problem[];
}

/** Shows a problem in one line: path, reason and code. */
export function formatProblem({ path, reason, code }: Problem): string {
  return withCode(path === "" ? reason : `${path}: ${reason}`, code);
}

/** What the change from a state to new inputs means. */
export interface Difference {
  /** Names of the inputs that differ. */
  readonly changed: readonly string[];
  /** Names of those that only a new resource can have. */
  readonly replaces: readonly string[];
  /** Whether an update has something to finish although no input differs. */
  readonly isUnfinished: boolean;
  /** Whether to delete the old resource before its replacement is created. */
  readonly deleteBeforeReplace: boolean;
}

/** A resource as a read found it. */
export interface FoundResource {
  readonly outputs: Properties;
  /** The inputs that would have led to it; `undefined` when Pulumi keeps the inputs that it has. */
  readonly inputs: Properties | undefined;
}

/**
 * One kind of resource as a host drives it. A method that fails throws a `ResourceError`. The host passes properties
 * without those that it adds itself, and gets back only values that Pulumi can carry.
 */
export interface HostedKind {
  /** Finds every problem with what a program declares, or with the settings, which come first. Values that are not known yet pass. */
  check(news: Properties, caller: Caller): Promise<CheckedInputs>;
  /** Called for each resource that a refresh finds, and for each that exists and is declared, before any delete. */
  diff(id: string, olds: Properties, news: Properties, caller: Caller): Promise<Difference>;
  create(inputs: Properties, caller: Caller): Promise<{ readonly id: string; readonly outputs: Properties }>;
  /**
   * @param known what the state holds; nothing for a resource that a program looks up by its id
   * @returns `undefined` when it is certainly gone
   */
  read(id: string, known: Properties, caller: Caller): Promise<FoundResource | undefined>;
  /** @returns the outputs */
  update(id: string, olds: Properties, news: Properties, caller: Caller): Promise<Properties>;
  /** Deletes the resource. Succeeds when it is already gone. */
  delete(id: string, known: Properties, caller: Caller): Promise<void>;
}

/** An error as the user of Pulumi sees it: what failed, for which resource, why, what to do next, and its code. */
export class ResourceError extends Error {
  /** All of the message but the headline. Ends with the code. */
  readonly details: string;

  /**
   * @param headline what failed, for which resource
   * @param explanation why, and what to do next
   */
  constructor(
    readonly headline: string,
    readonly explanation: string,
    readonly code: MessageCode,
    options?: ErrorOptions,
  ) {
    const details = withCode(explanation, code);
    super(`${headline}: ${details}`, options);
    this.details = details;
  }
}

/** The resource exists but is not as declared. The host keeps it in the state, and the next `up` updates it. */
export class UnfinishedError extends ResourceError {
  /**
   * @param described kind and id, such as `AgbSession s-1`
   * @param properties what the state stores of it
   */
  constructor(
    described: string,
    readonly id: string,
    readonly properties: Properties,
    explanation: string,
    code: MessageCode,
  ) {
    super(`${described} is not as declared`, explanation, code);
  }
}
