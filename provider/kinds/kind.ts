/**
 * What a resource kind is: the declaration of its properties, and what create, read, update and delete mean for it.
 * What all kinds share around that is in `operations.ts`; types of properties are in `types.ts`. Kinds may import the life cycle, the API
 * and the configuration. They know nothing of the host that serves them.
 */
import type { z } from "zod";
import type { AgbClient } from "../api/client";
import type { KnownSecret } from "../api/known-secrets";
import type { Settings } from "../config";
import type { Clock } from "../lifecycle/wait";
import type { MessageCode } from "../messages/message-codes";
import type { Problem } from "../messages/problem";
import type { CreatesInFlight } from "./creates-in-flight";
import type { Caller, HostedStack, LimitedOperation, Properties, Source } from "./hosted-kind";

/**
 * What a change of a property means: a new resource (`replaces`), an update in place (`updates`), or an update that AGB
 * does not see (`stored`). Programs do not declare an `output`.
 */
export type Change = "replaces" | "updates" | "stored" | "output";

/** The declaration of one property. Check, diff, state and reference follow from it. */
export interface Property {
  /** One sentence for the reference. */
  readonly description: string;
  /** Type and rules. A property with an optional type is not required. */
  readonly type: z.ZodType;
  readonly change: Change;
  /** A value that fits the type. Shown in the reference, and when a required property is missing. */
  readonly example?: unknown;
  /**
   * Who declares it. `provider`: the resource class adds it, or the provider itself. `plugin-program`: programs declare it where the host
   * knows the stack, because such a host is not told something else. Default: `program`.
   */
  readonly declaredBy?: "program" | "plugin-program" | "provider";
  /** Whether only the provider needs it, so that no program may read it. Default: false. */
  readonly isInternal?: boolean;
  /** Whether others must be able to read it in a state, also if a secret holds the same string. Default: false. */
  readonly isReadable?: boolean;
  /** What its value is made from, besides the input of the same name. It is secret where that is. */
  readonly madeFrom?: Source;
  /**
   * What the state holds after an import, when AGB does not tell the value. The first value that a program declares
   * takes its place without replacing the resource.
   */
  readonly importedAs?: unknown;
}

/** The declarations of all properties of a kind, by name. */
export type PropertiesOfKind = Readonly<Record<string, Property>>;

type Typed = Readonly<Record<string, Pick<Property, "type">>>;

type OptionalNames<Declared extends Typed> = {
  [Name in keyof Declared]: undefined extends z.infer<Declared[Name]["type"]> ? Name : never;
}[keyof Declared];

/** The values of properties, with the types that are declared: what the state holds of a resource. */
export type StateOf<Declared extends Typed> = {
  readonly [Name in Exclude<keyof Declared, OptionalNames<Declared>>]: z.infer<Declared[Name]["type"]>;
} & {
  readonly [Name in OptionalNames<Declared>]?: z.infer<Declared[Name]["type"]> | undefined;
};

/** What kinds share within a process. */
export interface KindRuntime {
  readonly clock: Clock;
  readonly creates: CreatesInFlight;
  /** Tells the user something that is not about a single resource. */
  say(message: string): void;
}

/** One operation on one resource. */
export interface Call {
  /** The account's client. It hides the secrets of the resource and keeps the operation's limit. */
  readonly client: AgbClient;
  /** The same without the operation's limit, for calls that must not be cut short. */
  readonly unlimitedClient: AgbClient;
  /** Limit of the whole operation, in milliseconds, where the program or the host set one. */
  readonly limitMs: number | undefined;
  /** Name of the resource in the program; `undefined` when it is not known. */
  readonly resource: string | undefined;
  /** Kind and name of the resource for messages, such as `AgbSession "web"`. */
  readonly described: string;
  /** The stack, where the host knows it, see `Caller`. */
  readonly stack: HostedStack | undefined;
  /** Tells the user how the operation goes on. The line must be clean. */
  say(line: string): void;
  /** Warns the user of something that does not fail the operation. */
  warn(message: string, code: MessageCode): void;
}

/** Settings that add to what a program declares. */
export type LabelSettings = Pick<Settings, "defaultLabels" | "ignoreLabels" | "repository">;

/** What a change means beyond the declarations of the properties. */
export interface Differences {
  /** More inputs that only a new resource can have. */
  readonly replaces?: readonly string[];
  /** Inputs whose change means nothing in this state. */
  readonly ignored?: readonly string[];
  /** Whether an update has something to finish although no input differs. Default: false. */
  readonly isUnfinished?: boolean;
  /** Whether to delete the old resource before its replacement is created. Default: false. */
  readonly deleteBeforeReplace?: boolean;
}

/** An operation that failed. */
export interface FailedOperation<State> {
  readonly operation: LimitedOperation | "read" | "import";
  /** What the operation knows about the resource: its inputs, or what the state holds. */
  readonly known: Partial<State>;
  /** Where the endpoint came from and how to change it. */
  readonly endpointAdvice: string;
  /** What limits the operation, such as `timeouts.create`. Default: nothing but the limits of its calls. */
  readonly limit?: string | undefined;
}

/** What a message says about an error besides its cause. */
export interface Advice {
  readonly code: MessageCode;
  /** What to do next, in full sentences; `""` for nothing. */
  readonly text: string;
}

/** One kind of resource. */
export interface ResourceKind<State extends object> {
  /** Name of its class, such as `AgbSession`. A host may have another name for it, see `ProviderOptions.names`. */
  readonly name: string;
  /** What AGB calls it, such as `session`. */
  readonly noun: string;
  /** The verb for deleting it, such as `release`. */
  readonly deleteVerb: string;
  readonly properties: PropertiesOfKind;

  /** Finds problems that the types of single properties cannot express. Called with values of any type, and unknown ones. */
  problems?(news: Properties, settings: LabelSettings, resource: string | undefined): Problem[];
  /**
   * Adds the inputs that name the owner, where the host knows it. Default: the program adds them.
   *
   * @param olds the inputs that the state holds
   */
  withOwner?(
    news: Properties,
    caller: Caller & { readonly stack: HostedStack },
    olds: Properties,
    settings: LabelSettings,
  ): Properties;
  /** Makes the inputs that Pulumi stores and compares, such as with default labels. Default: as declared. */
  normalize?(news: Properties, settings: LabelSettings): Properties;
  /** Corrects the inputs that follow from a state, which are all its properties that are no outputs. Default: leaves them. */
  inputsOf?(inputs: Properties): Properties;
  differences?(olds: Partial<State>, news: State): Differences;
  /**
   * Learns that an existing resource is compared: by a refresh, or, after its check, because the program declares it. That is
   * before any delete.
   */
  onDiff?(id: string, resource: string | undefined): void;
  /**
   * Keeps an existing resource alive that the program declares. Each diff calls it, in a preview too: a host cannot always tell
   * a preview from an update. Never fails.
   *
   * @param open opens the call, which may fail because of the settings
   */
  keepAlive?(open: () => Call, id: string, olds: Partial<State>, news: State): Promise<void>;
  /** Name of the resource in the program, when its own properties show it. */
  resourceName?(known: Partial<State>): string | undefined;
  /** Values of the resource that may be secret, so that no message repeats what AGB says of them. */
  secrets?(known: Partial<State>): KnownSecret[];
  /**
   * Whether the program declares the resource instead of looking it up by its id. Only then does a read return inputs.
   * Default: whether the host knows its name.
   */
  isDeclared?(known: Partial<State>): boolean;
  /** Whether the resource is over: it stays in the state, and AGB is no longer asked about it. */
  isOver?(known: Partial<State>): boolean;
  /** What stays in the state of a resource that is gone; `undefined` when it leaves the state. Default: it leaves. */
  stateWhenGone?(known: Partial<State>): Partial<State> | undefined;
  /** Names of outputs that this update may change, for its preview. Default: none. */
  changingOutputs?(olds: Partial<State>, news: State): readonly (keyof State & string)[];
  /** Names of outputs that are secret in this state, although nothing that they are made from is. Default: none. */
  secretOutputs?(state: Partial<State>): readonly (keyof State & string)[];
  /** The code of an error of this kind and what to do next; `undefined` for errors that all kinds share. */
  advice?(error: unknown, failed: FailedOperation<State>): Advice | undefined;

  /** @throws UnfinishedResource when it exists but is not as declared */
  create(call: Call, inputs: State): Promise<{ readonly id: string; readonly state: State }>;
  /** @param known what the state holds; nothing for a resource that a program looks up by its id */
  read(call: Call, id: string, known: Partial<State>): Promise<Partial<State> | "gone">;
  /**
   * Finds a resource to import. Without this method, resources of the kind cannot be imported.
   *
   * @param importId what the user calls it, which may be more than its id
   */
  import?(
    call: Call,
    importId: string,
    settings: LabelSettings,
  ): Promise<{ readonly id: string; readonly state: Partial<State> } | "gone">;
  /** @throws UnfinishedResource when it is not as declared afterwards */
  update(call: Call, id: string, olds: Partial<State>, news: State): Promise<Partial<State>>;
  /** @returns `absent` when AGB says that it does not exist */
  delete(call: Call, id: string, known: Partial<State>): Promise<"deleted" | "absent">;
}

/** The error of a kind for a resource that exists but is not as declared. */
export class UnfinishedResource<State extends object = object> extends Error {
  /** @param state what the state should hold, so that the next `up` sees what is left to do */
  constructor(
    readonly id: string,
    readonly state: Partial<State>,
    reason: string,
    readonly messageCode: MessageCode,
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}
