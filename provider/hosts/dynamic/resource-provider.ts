import type * as pulumi from "@pulumi/pulumi";
import {
  type Caller,
  type Difference,
  formatProblem,
  type HostedKind,
  type Properties,
  ResourceError,
} from "../../kinds/hosted-kind";
import { ShownFailure } from "./shown-failure";

/** What all kinds of a process share. */
export interface DynamicHostOptions {
  /** Takes the configuration of the stack. Must not fail. */
  configure(config: (key: string) => string | undefined): void;
  /** Tells the user something in addition to the result. */
  say(message: string): void;
}

/** Every method that Pulumi's process may call. */
export interface DynamicProvider {
  configure(request: pulumi.dynamic.ConfigureRequest): Promise<void>;
  check(olds: Properties, news: Properties): Promise<{ inputs: Properties; failures: pulumi.dynamic.CheckFailure[] }>;
  diff(id: string, olds: Properties, news: Properties): Promise<pulumi.dynamic.DiffResult>;
  create(inputs: Properties): Promise<{ id: string; outs: Properties }>;
  read(id: string, known?: Properties): Promise<pulumi.dynamic.ReadResult<Properties>>;
  update(id: string, olds: Properties, news: Properties): Promise<{ outs: Properties }>;
  delete(id: string, known: Properties): Promise<void>;
}

/**
 * Makes the object that Pulumi's process calls for one kind.
 *
 * The process passes a provider only the properties of a resource. So the program adds some that begin with `__`:
 * `__provider`, which Pulumi needs, and `__resource`, the resource's name. The state keeps them, and kinds never see them.
 */
export function dynamicProvider(kind: HostedKind, { configure, say }: DynamicHostOptions): DynamicProvider {
  const callerOf = (given: Properties): Caller => ({ resource: given["__resource"] as string | undefined, say });

  return {
    configure: async ({ config }: pulumi.dynamic.ConfigureRequest) => configure((key) => config.get(key)),

    check: (_olds: Properties, news: Properties) =>
      showing(news, async () => {
        const { inputs, problems } = await kind.check(checkedPart(news), callerOf(news));
        // Pulumi prints the value of the property that a failure names, which may be secret. So the reason has the path.
        const failures = problems.map((problem) => ({ property: "", reason: formatProblem(problem) }));
        return { inputs: { ...inputs, ...addedPart(news) }, failures };
      }),

    diff: async (id: string, olds: Properties, news: Properties) => {
      const difference = await kind.diff(id, declaredPart(olds), declaredPart(news), callerOf(news));
      // An update stores the new name of a resource that an alias renamed.
      return diffResult(difference, olds["__resource"] !== news["__resource"]);
    },

    create: (inputs: Properties) =>
      showing(inputs, async () => {
        const { id, outputs } = await kind.create(declaredPart(inputs), callerOf(inputs));
        return { id, outs: { ...outputs, ...addedPart(inputs) } };
      }),

    read: (id: string, known: Properties = {}): Promise<pulumi.dynamic.ReadResult<Properties>> =>
      showing(known, async () => {
        const found = await kind.read(id, declaredPart(known), callerOf(known));
        if (found === undefined) {
          return {};
        }
        const added = addedPart(known);
        const props = { ...found.outputs, ...added };
        return found.inputs === undefined ? { id, props } : { id, props, inputs: { ...found.inputs, ...added } };
      }),

    update: (id: string, olds: Properties, news: Properties) =>
      showing(news, async () => {
        const outputs = await kind.update(id, declaredPart(olds), declaredPart(news), callerOf(news));
        return { outs: { ...outputs, ...addedPart(news) } };
      }),

    delete: (id: string, known: Properties) =>
      showing(known, () => kind.delete(id, declaredPart(known), callerOf(known))),
  } satisfies pulumi.dynamic.ResourceProvider<Properties, Properties>;
}

const addedNames: ReadonlySet<string> = new Set(["__provider", "__resource"]);

/** The properties that the program adds for the host. A state may have more of them, from a later version. */
function addedPart(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => name.startsWith("__")));
}

/** The properties that the kind is given. */
function declaredPart(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !name.startsWith("__")));
}

/** What the kind checks: also names that only look like the host's, so that it can refuse them. */
function checkedPart(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !addedNames.has(name)));
}

/**
 * Where inputs differ, `changes` stays undefined: Pulumi then compares them itself, shows the detail and honours
 * `replaceOnChanges`.
 */
function diffResult(
  { changed, replaces, isUnfinished, deleteBeforeReplace }: Difference,
  isRenamed: boolean,
): pulumi.dynamic.DiffResult {
  if (changed.length === 0 && replaces.length === 0) {
    return { changes: isUnfinished || isRenamed };
  }
  return { replaces: [...replaces], ...(deleteBeforeReplace && { deleteBeforeReplace }) };
}

async function showing<Result>(given: Properties, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ResourceError ? new ShownFailure(error, addedPart(given)) : error;
  }
}
