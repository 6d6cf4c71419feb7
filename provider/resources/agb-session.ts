import * as pulumi from "@pulumi/pulumi";
import type { ContextMount, SyncPolicy } from "../api/sync-policy";
import { settingNames } from "../config";
import type { SessionState } from "../kinds/session";
import { isRepositoryId, ownerLabels, ownershipKeys, repositoryConfigKey } from "../lifecycle/ownership";
import { checkConstruction, deletingFirst, isConfigSecret } from "./constructor-checks";
import type { DeepInputs } from "./deep-inputs";
import { providerReference } from "./reference";
import { isRetained, watchRetention } from "./retention";
import type { SeededOutputs } from "./seeded-outputs";
import { stackId } from "./stack-identity";

/** What a program declares of a session. */
export interface AgbSessionArgs {
  /** Id of the image that the session runs, such as `agb-code-space-1`. Another image replaces the session. */
  readonly imageId: pulumi.Input<string>;
  /**
   * Labels of the session. Changed in place. Keys and values are not blank; at most 128 and 256 characters; keys that
   * begin with `pulumi-` are the provider's own. At most 20 with the default labels and the provider's own: five, one
   * more in preview environments and one more with `retainOnDelete`.
   */
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Idle time after which AGB releases the session, in seconds; AGB recommends 60 to 1800. Default: AGB's own, 5
   * minutes. Another value replaces the session.
   */
  readonly idleTimeoutSeconds?: pulumi.Input<number>;
  /** Id of a policy made in AGB's console, such as one with a longer life. Another policy replaces the session. */
  readonly policyId?: pulumi.Input<string>;
  /**
   * Labels that are left to other tools: keys, or prefixes that end in `*`. They are neither drift nor removed by an
   * update; a label that the program declares is never left. Added to `agb:ignoreLabels`.
   */
  readonly ignoreLabels?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Contexts that the session mounts, so that their files outlive it. The files are there when the create is done, and go
   * back to the contexts before a release. Other mounts replace the session; the old one uploads its files first. Each
   * context and each path once.
   */
  readonly contextSyncs?: pulumi.Input<pulumi.Input<AgbContextSync>[]>;
  /**
   * Whether to release the session although its files could not be uploaded to its contexts first. Default: false, so that a
   * failed upload fails the delete and nothing is lost.
   */
  readonly releaseWithoutUpload?: pulumi.Input<boolean>;
  /**
   * A running session to take over instead of creating one: by id, or by labels that exactly one carries. Its labels
   * become the declared ones; its image and timeouts are not compared. From then on it is owned: a destroy releases it,
   * unless the option `retainOnDelete` is set. Only a create looks at this.
   */
  readonly adopt?: pulumi.Input<AgbSessionAdoption>;
  /**
   * What to do when AGB has released the session: recreate it, or keep it in the state with `released` set. `recreate`
   * recreates it with the next `up`. `keep` is for sessions that do one job; the state keeps the labels that it had.
   * Default: `recreate`.
   */
  readonly onRelease?: pulumi.Input<"recreate" | "keep">;
  /**
   * Limits of whole operations, in seconds. Default: 300 for each wait (download, upload, release); otherwise each call has
   * its own.
   */
  readonly timeouts?: pulumi.Input<AgbSessionTimeouts>;
}

/** A running session to take over: exactly one of the two. */
export interface AgbSessionAdoption {
  readonly sessionId?: pulumi.Input<string>;
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** A context that a session mounts. */
export interface AgbContextSync {
  /** Id of the context, as in `AgbContext.contextId`. */
  readonly contextId: pulumi.Input<string>;
  /**
   * Where it is mounted: an absolute path that the session may write, such as `/home/user/data`. Messages show it, also if
   * it is secret.
   */
  readonly path: pulumi.Input<string>;
  /** How the session and the context are kept in sync. Default: AGB's defaults, which each field names. */
  readonly policy?: pulumi.Input<DeepInputs<SyncPolicy>>;
}

/** Limits of whole operations, in seconds. */
export interface AgbSessionTimeouts {
  readonly create?: pulumi.Input<number>;
  readonly update?: pulumi.Input<number>;
  readonly delete?: pulumi.Input<number>;
}

const type = "pulumi-nodejs:dynamic/agb:AgbSession";

const words = { className: "AgbSession", insteadOfImport: "the argument adopt to take a session over" };

const outputs: SeededOutputs<AgbSession, SessionState> = {
  imageId: undefined,
  labels: undefined,
  labelsAll: undefined,
  idleTimeoutSeconds: undefined,
  policyId: undefined,
  contextSyncs: undefined,
  appInstanceId: undefined,
  resourceId: undefined,
  released: undefined,
};

/**
 * An AGB session: an isolated cloud sandbox with labels.
 *
 * AGB releases idle sessions after minutes; a refresh notices that, and the next `pulumi up` recreates the session.
 * The outputs hold nothing that changes by itself, such as links and tokens.
 *
 * @example
 * const web = new AgbSession("web", {
 *   imageId: "agb-code-space-1",
 *   labels: { project: "shop", environment: "dev" },
 * });
 * export const sessionId = web.sessionId;
 */
export class AgbSession extends pulumi.CustomResource {
  /** AGB's id of the session, the same as the resource's `id`. */
  declare readonly sessionId: pulumi.Output<string>;
  /** The image that the session runs. */
  declare readonly imageId: pulumi.Output<string>;
  /** The labels that the program declares. */
  declare readonly labels: pulumi.Output<Record<string, string>>;
  /** All labels of the session: default ones, declared ones, and the provider's own, which say who owns it. */
  declare readonly labelsAll: pulumi.Output<Record<string, string>>;
  /** Declared idle time, in seconds. */
  declare readonly idleTimeoutSeconds: pulumi.Output<number | undefined>;
  /** Declared policy. */
  declare readonly policyId: pulumi.Output<string | undefined>;
  /** The contexts that the session mounts, in the order of their paths. */
  declare readonly contextSyncs: pulumi.Output<ContextMount[] | undefined>;
  /** AGB's id of the running instance behind the session. */
  declare readonly appInstanceId: pulumi.Output<string | undefined>;
  /** AGB's id of the resource behind the session. */
  declare readonly resourceId: pulumi.Output<string | undefined>;

  /** Whether AGB has released the session. Only a session with `onRelease: "keep"` stays in the state then. */
  declare readonly released: pulumi.Output<boolean>;

  /**
   * @param name name of the resource, unique in the stack; becomes the label `pulumi-resource`
   * @throws Error when `opts.import` is set: Pulumi cannot import dynamic resources
   */
  constructor(name: string, args: AgbSessionArgs, opts: pulumi.CustomResourceOptions = {}) {
    watchRetention();
    checkConstruction(words, name, opts);
    const mounts =
      args?.contextSyncs !== undefined && !(Array.isArray(args.contextSyncs) && args.contextSyncs.length === 0);
    super(
      type,
      name,
      {
        ...outputs,
        ...(opts.id === undefined ? { ...args, labelsAll: labelsWithOwner(name, args?.labels, opts) } : {}),
        __provider: providerReference("session"),
      },
      // A new session would download the files before the old one has uploaded them.
      mounts ? deletingFirst(words, name, opts) : opts,
    );
    // The id stays known in previews of an update, which a property of its own would not.
    this.sessionId = this.id;
    this.released = pulumi.output(this.released).apply((released) => released ?? false);
  }

  /**
   * Looks up a running session without owning it: nothing in this program changes or releases it. Preview and update
   * fail when no session with this id runs.
   *
   * @param id AGB's id of the session
   */
  static get(name: string, id: pulumi.Input<pulumi.ID>, opts: pulumi.CustomResourceOptions = {}): FoundAgbSession {
    return new AgbSession(name, {} as AgbSessionArgs, { ...opts, id });
  }
}

/** A session that was looked up. AGB does not return its image, idle time and policy. */
export interface FoundAgbSession
  extends pulumi.CustomResource,
    Pick<AgbSession, "sessionId" | "labelsAll" | "appInstanceId" | "resourceId"> {
  /** Its labels without those that begin with `pulumi-`. */
  readonly labels: pulumi.Output<Record<string, string>>;
}

/**
 * The declared labels with the owner's, which only the program knows. They are passed as an input of the same name as
 * the output `labelsAll`, because Pulumi keeps a value of a dynamic provider secret only where an input of that name
 * was; the provider puts default labels in.
 */
function labelsWithOwner(
  name: string,
  labels: AgbSessionArgs["labels"],
  opts: pulumi.CustomResourceOptions,
): pulumi.Input<Record<string, unknown>> {
  const configured = pulumi.runtime.getConfig(repositoryConfigKey);
  const names = ownerLabels({
    project: pulumi.getProject(),
    stack: pulumi.getStack(),
    resource: name,
    repository: isRepositoryId(configured) ? configured : undefined,
    retains: isRetained(opts),
  });
  const owner = { ...names, [ownershipKeys.stackId]: stackId() };
  const merged =
    pulumi.Output.isInstance(labels) || labels instanceof Promise
      ? pulumi.output(labels).apply((known) => ({ ...known, ...owner }))
      : { ...labels, ...owner };
  return isConfigSecret(settingNames.defaultLabels.key) ? pulumi.secret(merged) : merged;
}
