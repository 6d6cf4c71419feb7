import * as pulumi from "@pulumi/pulumi";
import type { ContextMount, SyncPolicy } from "../api/sync-policy";
import { settingNames } from "../config";
import type { SessionState } from "../kinds/session";
import { isRepositoryId, ownerLabels, ownershipKeys, repositoryConfigKeys } from "../lifecycle/ownership";
import { typeTokens } from "../type-tokens";
import { checkConstruction, deletingFirst, isConfigSecret } from "./constructor-checks";
import type { DeepInputs } from "./deep-inputs";
import { isLater } from "./later-values";
import { providerReference } from "./reference";
import { isRetained, watchRetention } from "./retention";
import type { SeededOutputs } from "./seeded-outputs";
import { linkTo, rememberName, resourceUrlOf } from "./session-links";
import { stackId } from "./stack-identity";

/** What a program declares of a session. */
export interface AgbSessionArgs {
  /** Id of the image that the session runs. A change replaces the session. */
  readonly imageId: pulumi.Input<string>;
  /**
   * Labels of the session. A session has at most 20 labels, including the default ones and five to seven of the provider.
   * Keys have at most 128 characters, values at most 256. Neither may be blank. Keys that begin with `pulumi-` are
   * reserved. AGB documents no limits; these are the limits of its sibling platform. A change updates the session in place.
   *
   * @default no labels but the default ones and the provider's own
   */
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Idle time after which AGB releases the session, in seconds. AGB recommends 60 to 1800. AGB releases every session after
   * 30 minutes at the latest, unless a policy allows more. A change replaces the session.
   *
   * @default AGB's own, 5 minutes
   */
  readonly idleTimeoutSeconds?: pulumi.Input<number>;
  /**
   * Id of a policy from AGB's console, such as one that lets sessions live longer. A change replaces the session.
   *
   * @default no policy
   */
  readonly policyId?: pulumi.Input<string>;
  /**
   * Labels to leave to other tools: keys, or prefixes that end in `*`. An update does not remove them, and they are not
   * drift. A declared label is never ignored. The list is added to `agb:ignoreLabels`. A change is stored in the state only.
   *
   * @default none
   */
  readonly ignoreLabels?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Contexts that the session mounts, so that their files outlive it. The files are in the session when its create is done.
   * They are uploaded to the contexts before a release, also before a replacement is created. Each context and each path may
   * occur once. Their order does not matter. A change replaces the session.
   *
   * @default none
   */
  readonly contextSyncs?: pulumi.Input<pulumi.Input<AgbContextSync>[]>;
  /**
   * Whether to release the session although its files could not be uploaded to its contexts. With `false`, a failed upload
   * fails the delete, so nothing is lost. Remove the option after you have used it. A change is stored in the state only.
   *
   * @default false
   */
  readonly releaseWithoutUpload?: pulumi.Input<boolean>;
  /**
   * Whether each refresh, preview and update counts as use of the session, so that its idle time begins again. AGB still releases
   * the session after its longest life, 30 minutes unless a policy allows more. A change is stored in the state only.
   *
   * @default false
   */
  readonly keepAlive?: pulumi.Input<boolean>;
  /**
   * A running session to take over instead of creating one: by id, or by labels that match exactly one. It gets the declared
   * labels. Its image and timeouts are not compared. From then on, a destroy releases it unless the option `retainOnDelete`
   * is set. Only a create uses this argument. A change is stored in the state only.
   *
   * @default a new session is created
   */
  readonly adopt?: pulumi.Input<AgbSessionAdoption>;
  /**
   * What to do when AGB has released the session: recreate it, or keep it in the state with `released: true`. Use `keep` for
   * sessions that do one job. The labels of a session that is kept no longer change. A change is stored in the state only.
   *
   * @default "recreate"
   */
  readonly onRelease?: pulumi.Input<"recreate" | "keep">;
  /**
   * Limits of whole operations, in seconds. A change is stored in the state only.
   *
   * @default 300 for each wait (download, upload, release); each call has the limit `agb:timeoutMs`
   */
  readonly timeouts?: pulumi.Input<AgbSessionTimeouts>;
}

/** A running session to take over: exactly one of the two. */
export interface AgbSessionAdoption {
  /** AGB's id of the session. */
  readonly sessionId?: pulumi.Input<string>;
  /** Labels that exactly one running session carries. It may carry others too. */
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** A context that a session mounts. */
export interface AgbContextSync {
  /** Id of the context, as in `AgbContext.contextId`. */
  readonly contextId: pulumi.Input<string>;
  /**
   * Where it is mounted: an absolute path that the session may write, such as `/home/user/data`. Messages show it, even if
   * it is secret.
   */
  readonly path: pulumi.Input<string>;
  /**
   * How the session and the context are kept in sync.
   *
   * @default AGB's defaults, which each field names
   */
  readonly policy?: pulumi.Input<DeepInputs<SyncPolicy>>;
}

/** Limits of whole operations, in seconds. */
export interface AgbSessionTimeouts {
  /**
   * Limit of a create, with the download of contexts. It also shortens the search for a session whose reply was lost, to 8
   * seconds at least. A shortened search ends in an error, never in a second create.
   */
  readonly create?: pulumi.Input<number>;
  /** Limit of an update. */
  readonly update?: pulumi.Input<number>;
  /** Limit of a delete, with the upload to contexts and the wait until AGB has released the session. */
  readonly delete?: pulumi.Input<number>;
}

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
 * AGB releases idle sessions after minutes. A refresh notices that, and the next `pulumi up` recreates the session. The state
 * holds nothing that changes by itself. Links and tokens change with every read. So `resourceUrl` and `link` are no part of the
 * state: they ask AGB when the program runs.
 *
 * A replacement is created before the old session is released. Set the option `deleteBeforeReplace` to reverse the order. A
 * session with `contextSyncs` is always released first.
 *
 * The option `import` does not work with a dynamic provider: use `adopt`. The option `customTimeouts` has no effect: use
 * `timeouts`. A component provider, which programs in other languages call, cannot declare an `AgbSession`.
 *
 * @example
 * import * as pulumi from "@pulumi/pulumi";
 * import { AgbSession } from "pulumi-agb";
 *
 * const web = new AgbSession("web", {
 *   imageId: "agb-code-space-1",
 *   labels: { project: "shop", environment: pulumi.getStack() },
 *   idleTimeoutSeconds: 600,
 * });
 *
 * export const sessionId = web.sessionId;
 */
export class AgbSession extends pulumi.CustomResource {
  /** AGB's id of the session, the same as the resource's `id`. Known in previews of updates. */
  declare readonly sessionId: pulumi.Output<string>;
  /** The declared image. */
  declare readonly imageId: pulumi.Output<string>;
  /** The declared labels. */
  declare readonly labels: pulumi.Output<Record<string, string>>;
  /** All labels of the session: default ones, declared ones, and the provider's own, which say who owns it. */
  declare readonly labelsAll: pulumi.Output<Record<string, string>>;
  /** The declared idle time, in seconds. */
  declare readonly idleTimeoutSeconds: pulumi.Output<number | undefined>;
  /** The declared policy. */
  declare readonly policyId: pulumi.Output<string | undefined>;
  /** The contexts that the session mounts, in the order of their paths. */
  declare readonly contextSyncs: pulumi.Output<ContextMount[] | undefined>;
  /** AGB's id of the running instance behind the session. */
  declare readonly appInstanceId: pulumi.Output<string | undefined>;
  /** AGB's id of the resource behind the session. */
  declare readonly resourceId: pulumi.Output<string | undefined>;

  /** Whether AGB has released the session. Can be `true` only with `onRelease: "keep"`. */
  declare readonly released: pulumi.Output<boolean>;

  /**
   * @param name name of the resource, unique in the stack; becomes the label `pulumi-resource`
   * @throws RunError when `opts.import` is set: Pulumi cannot import dynamic resources
   */
  constructor(name: string, args: AgbSessionArgs, opts: pulumi.CustomResourceOptions = {}) {
    watchRetention();
    checkConstruction(words, name, opts);
    const mounts =
      args?.contextSyncs !== undefined && !(Array.isArray(args.contextSyncs) && args.contextSyncs.length === 0);
    super(
      typeTokens.session.dynamic,
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
    if (opts.id === undefined) {
      rememberName(this, name);
    }
  }

  /**
   * The address at which a person sees the session in a browser. It holds a token and is valid for 30 minutes. Always secret, and
   * never in the state of the session. AGB is asked when the program reads the property, in each preview and update, and not
   * again in the same run.
   */
  get resourceUrl(): pulumi.Output<string> {
    return resourceUrlOf(this);
  }

  /**
   * Asks AGB for an address of a port of the session. It holds a token. Always secret, and never in the state of the session. AGB
   * is asked in each preview and update.
   *
   * @param port port in the session, from 30100 to 30199
   * @param protocol `https`, or `wss` for a WebSocket. Default: `https`
   */
  link(port: pulumi.Input<number>, protocol?: pulumi.Input<"https" | "wss">): pulumi.Output<string> {
    return linkTo(this, port, protocol);
  }

  /**
   * Looks up a running session without owning it: nothing in this program changes or releases it. The preview and the update
   * fail if no session with this id is running.
   *
   * @param name name of the resource, unique in the stack
   * @param id AGB's id of the session
   * @param opts Pulumi's options, such as `provider`
   */
  static get(name: string, id: pulumi.Input<pulumi.ID>, opts: pulumi.CustomResourceOptions = {}): FoundAgbSession {
    return new AgbSession(name, {} as AgbSessionArgs, { ...opts, id });
  }
}

/**
 * A session that was looked up. It has no `imageId`, `idleTimeoutSeconds` and `policyId`, because AGB does not return them. It
 * has `resourceUrl` and `link` as an `AgbSession` has.
 */
export interface FoundAgbSession
  extends pulumi.CustomResource,
    Pick<AgbSession, "sessionId" | "labelsAll" | "appInstanceId" | "resourceId" | "resourceUrl" | "link"> {
  /** The labels of the session, without those that begin with `pulumi-`. */
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
  const names = ownerLabels({
    project: pulumi.getProject(),
    stack: pulumi.getStack(),
    resource: name,
    repository: repositoryConfigKeys.map((key) => pulumi.runtime.getConfig(key)).find(isRepositoryId),
    retains: isRetained(opts),
  });
  const owner = { ...names, [ownershipKeys.stackId]: stackId() };
  const merged = isLater(labels)
    ? pulumi.output(labels).apply((known) => ({ ...known, ...owner }))
    : { ...labels, ...owner };
  return isConfigSecret(settingNames.defaultLabels.key) ? pulumi.secret(merged) : merged;
}
