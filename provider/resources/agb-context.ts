import * as pulumi from "@pulumi/pulumi";
import type { ContextState } from "../kinds/context";
import { typeTokens } from "../type-tokens";
import { checkConstruction, deletingFirst } from "./constructor-checks";
import { providerReference } from "./reference";
import type { SeededOutputs } from "./seeded-outputs";
import { stackIdentity } from "./stack-identity";

/** What a program declares of a context. */
export interface AgbContextArgs {
  /**
   * Name of the context, unique in the account and region. It may not begin or end with a blank. Messages show it, even if it
   * is secret. A change updates the context in place.
   */
  readonly name: pulumi.Input<string>;
  /**
   * Whether to take over a context that already has the name. With `false`, such a name is an error. From then on, a destroy
   * deletes the context. Only a create uses this argument. A change is stored in the state only.
   *
   * @default false
   */
  readonly adopt?: pulumi.Input<boolean>;
  /**
   * Whether a delete also deletes the files in the context. With `false`, a delete fails while the context holds files. A
   * delete uses the value in the state, so run `pulumi up` after you set it. A change is stored in the state only.
   *
   * @default false
   */
  readonly forceDestroy?: pulumi.Input<boolean>;
  /**
   * Limits of whole operations, in seconds. A change is stored in the state only.
   *
   * @default 60 for each wait for AGB; each call has the limit `agb:timeoutMs`
   */
  readonly timeouts?: pulumi.Input<AgbContextTimeouts>;
}

/** Limits of whole operations, in seconds. */
export interface AgbContextTimeouts {
  /** Limit of a create. */
  readonly create?: pulumi.Input<number>;
  /** Limit of an update. */
  readonly update?: pulumi.Input<number>;
  /** Limit of a delete, with the wait until AGB has deleted the files. */
  readonly delete?: pulumi.Input<number>;
}

const words = { className: "AgbContext", insteadOfImport: "the argument adopt to take a context over by its name" };

const outputs: SeededOutputs<AgbContext, ContextState> = { name: undefined };

/**
 * An AGB context: a named store of files. Sessions mount it, and its files outlive them.
 *
 * A context is data. A delete fails while it holds files, unless `forceDestroy` is set. Pulumi's options `protect` and
 * `retainOnDelete` work as usual. A context has no labels, so no sweep ever deletes one. The old context is always deleted
 * before its replacement is created.
 *
 * The option `import` does not work with a dynamic provider: use `adopt`. The option `customTimeouts` has no effect: use
 * `timeouts`.
 *
 * @example
 * import { AgbContext, AgbSession } from "pulumi-agb";
 *
 * const cache = new AgbContext("cache", { name: "build-cache" });
 *
 * const web = new AgbSession("web", {
 *   imageId: "agb-code-space-1",
 *   contextSyncs: [{ contextId: cache.contextId, path: "/home/user/cache" }],
 * });
 *
 * export const sessionId = web.sessionId;
 */
export class AgbContext extends pulumi.CustomResource {
  /** AGB's id of the context, the same as the resource's `id`. Known in previews of updates. */
  declare readonly contextId: pulumi.Output<string>;
  /** The name of the context. */
  declare readonly name: pulumi.Output<string>;

  /**
   * @param name name of the resource, unique in the stack
   * @throws RunError when `opts.import` is set: Pulumi cannot import dynamic resources
   */
  constructor(name: string, args: AgbContextArgs, opts: pulumi.CustomResourceOptions = {}) {
    checkConstruction(words, name, opts);
    const isDeclared = opts.id === undefined;
    super(
      typeTokens.context.dynamic,
      name,
      {
        ...outputs,
        ...(isDeclared ? { ...args, __resource: name } : {}),
        __provider: providerReference("context"),
      },
      // Two contexts of one name cannot exist. And a delete that fails because of files must not leave the stack without its identity.
      isDeclared ? pulumi.mergeOptions(deletingFirst(words, name, opts), { dependsOn: stackIdentity() }) : opts,
    );
    // The id stays known in previews of an update, which a property of its own would not.
    this.contextId = this.id;
  }

  /**
   * Looks up a context without owning it: nothing in this program changes or deletes it. The preview and the update fail if
   * there is no context with this id.
   *
   * @param name name of the resource, unique in the stack
   * @param id AGB's id of the context
   * @param opts Pulumi's options, such as `provider`
   */
  static get(name: string, id: pulumi.Input<pulumi.ID>, opts: pulumi.CustomResourceOptions = {}): AgbContext {
    return new AgbContext(name, {} as AgbContextArgs, { ...opts, id });
  }
}
