/**
 * The interface between resource kinds and their hosts, in Pulumi's words. Nothing here knows AGB or a particular host:
 * together with `hosts/` it could serve another provider. Imports nothing but problems and the codes of messages.
 */
import { type MessageCode, withCode } from "../messages/message-codes";
import type { Problem } from "../messages/problem";

/**
 * A resource's properties as Pulumi carries them, as plain data. `unknownValue` stands for a value that a preview does not
 * know yet. An asset is `{ file }`, `{ text }` or `{ remote }`, an archive `{ folder }`, `{ archive }` or `{ remote }`.
 */
export type Properties = Record<string, unknown>;

export type { Problem } from "../messages/problem";
export { unknownValue } from "./unknown";

/** Operations whose duration a program may limit. */
export type LimitedOperation = "create" | "update" | "delete";

/** What a host knows of the resource that an operation is for. */
export interface Caller {
  /** Name of the resource in the program; `undefined` when the host does not know it. */
  readonly resource?: string | undefined;
  /** The stack, where the host knows it. Otherwise the program passes what names the owner, as properties. */
  readonly stack?: HostedStack | undefined;
  /** Types of the resources around it, from the outside, with `$` between them; `undefined` for none or not known. */
  readonly parentType?: string | undefined;
  /** Limit of the operation, in seconds, where the host has one of its own. */
  readonly limitSeconds?: number | undefined;
  /** Tells the user something in addition to the result. A host may show warnings in another way. */
  say(message: string, level?: "warning"): void;
}

/** A stack as a host knows it. */
export interface HostedStack {
  readonly project: string;
  readonly stack: string;
  /** What tells it from others of the same name: the id of the provider in its state. `unknownValue` until that exists. */
  readonly id?: string | undefined;
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

/** What a change means, with what was compared. */
export interface DetailedDifference extends Difference {
  /** The inputs that the state stands for. */
  readonly before: Properties;
}

/** Where the value of a property comes from, besides the input of the same name. */
export interface Source {
  /** Names of inputs. */
  readonly inputs?: readonly string[];
  /** Names of settings, without a namespace. */
  readonly settings?: readonly string[];
}

/** A resource that exists, under its own id. */
export interface ImportedResource extends FoundResource {
  readonly id: string;
  readonly inputs: Properties;
}

/** One kind of resource as a host drives it that speaks with the engine directly. */
export interface NativeKind extends HostedKind {
  /** @param olds the inputs that the state holds; nothing for a resource that is new */
  check(news: Properties, caller: Caller, olds?: Properties): Promise<CheckedInputs>;
  diff(id: string, olds: Properties, news: Properties, caller: Caller): Promise<DetailedDifference>;
  /**
   * The outputs as far as they are known before a create or an update.
   *
   * @param olds what the state holds; `undefined` before a create
   */
  preview(olds: Properties | undefined, news: Properties): Properties;
  /**
   * Finds a resource that Pulumi takes over.
   *
   * @param importId what the user calls it, which may be more than its id
   * @returns `undefined` when it does not exist
   */
  import(importId: string, caller: Caller): Promise<ImportedResource | undefined>;
  /** What properties are made from. A value that is made from a secret is one too. */
  readonly sources: Readonly<Record<string, Source>>;
  /** Names of the properties that are never secret, because others must be able to read them in a state. */
  readonly readable: readonly string[];
  /** Names of the outputs that are secret although nothing they are made from is. */
  secretOutputs(outputs: Properties): readonly string[];
}

/** A function as a host serves it. A call that fails throws a `ResourceError`. */
export interface HostedFunction {
  /** Names of the results that are always secret. */
  readonly secretOutputs: readonly string[];
  call(inputs: Properties): Promise<Properties>;
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
