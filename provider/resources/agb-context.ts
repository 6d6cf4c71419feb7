import * as pulumi from "@pulumi/pulumi";
import type { ContextState } from "../kinds/context";
import { checkConstruction, deletingFirst } from "./constructor-checks";
import { providerReference } from "./reference";
import type { SeededOutputs } from "./seeded-outputs";
import { stackIdentity } from "./stack-identity";

/** What a program declares of a context. */
export interface AgbContextArgs {
  /** Name of the context, unique in the account and region. Changed in place. Messages show it, also if it is secret. */
  readonly name: pulumi.Input<string>;
  /**
   * Whether to take over a context that has the name already. Default: false, so that a name that exists is an error. From
   * then on it is owned: a destroy deletes it. Only a create looks at this.
   */
  readonly adopt?: pulumi.Input<boolean>;
  /**
   * Whether a delete also deletes the files that the context holds. Default: false, so that a delete fails while it holds
   * any. The state must say so, so run `pulumi up` after a change and before the delete.
   */
  readonly forceDestroy?: pulumi.Input<boolean>;
  /** Limits of whole operations, in seconds. Default: 60 for each wait for AGB; otherwise each call has its own. */
  readonly timeouts?: pulumi.Input<AgbContextTimeouts>;
}

/** Limits of whole operations, in seconds. */
export interface AgbContextTimeouts {
  readonly create?: pulumi.Input<number>;
  readonly update?: pulumi.Input<number>;
  readonly delete?: pulumi.Input<number>;
}

const words = { className: "AgbContext", insteadOfImport: "the argument adopt to take a context over by its name" };

const outputs: SeededOutputs<AgbContext, ContextState> = { name: undefined };

/**
 * An AGB context: a named store of files that sessions mount and that outlives them.
 *
 * A context has no labels, so no sweep ever deletes one: it goes with its stack. It is data: a delete fails while it holds
 * files, unless `forceDestroy` is set, and Pulumi's options `protect` and `retainOnDelete` work as everywhere.
 *
 * @example
 * const cache = new AgbContext("cache", { name: "build-cache" });
 * const web = new AgbSession("web", {
 *   imageId: "agb-code-space-1",
 *   contextSyncs: [{ contextId: cache.contextId, path: "/home/user/cache" }],
 * });
 */
export class AgbContext extends pulumi.CustomResource {
  /** AGB's id of the context, the same as the resource's `id`. */
  declare readonly contextId: pulumi.Output<string>;
  /** Name of the context. */
  declare readonly name: pulumi.Output<string>;

  /**
   * @param name name of the resource, unique in the stack
   * @throws Error when `opts.import` is set: Pulumi cannot import dynamic resources
   */
  constructor(name: string, args: AgbContextArgs, opts: pulumi.CustomResourceOptions = {}) {
    checkConstruction(words, name, opts);
    const isDeclared = opts.id === undefined;
    super(
      "pulumi-nodejs:dynamic/agb:AgbContext",
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
   * Looks up a context without owning it: nothing in this program changes or deletes it. Preview and update fail when there
   * is no context with this id.
   *
   * @param id AGB's id of the context
   */
  static get(name: string, id: pulumi.Input<pulumi.ID>, opts: pulumi.CustomResourceOptions = {}): AgbContext {
    return new AgbContext(name, {} as AgbContextArgs, { ...opts, id });
  }
}
