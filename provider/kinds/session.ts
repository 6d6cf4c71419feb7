import { z } from "zod";
import { labelSecrets } from "../api/known-secrets";
import type { Labels } from "../api/labels";
import { printable } from "../api/outside-text";
import { releaseSession, type SessionRequest } from "../api/sessions";
import { refuseOtherOwner, wasTakenOver } from "../lifecycle/adopt";
import { AgbContextSyncError } from "../lifecycle/context-errors";
import { openCreateRuntime } from "../lifecycle/create-runtime";
import { findSession } from "../lifecycle/found-sessions";
import { foreignLabels, sameLabels, withoutLabels } from "../lifecycle/labels";
import { isReserved, newCreateToken, ownerLabels, ownershipKeys, withoutCreateToken } from "../lifecycle/ownership";
import { createOwnedSession, identifySession, observeSession, releaseAndWait } from "../lifecycle/session";
import type { Problem } from "../messages/problem";
import { contextSyncList, sameMounts, sortedMounts } from "./context-syncs";
import type { Properties } from "./hosted-kind";
import { KeepAlive } from "./keep-alive";
import type { Call, KindRuntime, LabelSettings, PropertiesOfKind, ResourceKind, StateOf } from "./kind";
import { searchReporter } from "./log";
import { ownTokenOf, refuseTakenOver, tokenOf } from "./own-token";
import { adoptSession } from "./session-adoption";
import { sessionAdvice } from "./session-advice";
import {
  applyLabels,
  declaredLabels,
  labelCountProblems,
  ownerNameProblems,
  previouslyManagedLabels,
  reservedLabels,
  sessionState,
} from "./session-labels";
import { awaitDownloads, mountProblems, repeatDownloads, unfinishedDownload, uploadMounts } from "./session-mounts";
import { requireStackId } from "./stack-identity";
import {
  despiteInnerIssues,
  filledString,
  labelPatterns,
  labelSet,
  mustBe,
  ruleCode,
  serviceOutput,
  timeoutsInput,
  wholeSeconds,
} from "./types";
import { isUnknown, unknownValue } from "./unknown";

const adoptionRule = "must hold either sessionId or at least one of labels";

/** Everything that a program can declare of a session, and everything that the state holds of it. */
export const sessionProperties = {
  imageId: {
    description: "Id of the image that the session runs.",
    type: filledString,
    example: "agb-code-space-1",
    change: "replaces",
    importedAs: "",
  },
  labels: {
    description: "Labels of the session.",
    type: labelSet.optional(),
    example: { project: "shop", team: "storefront" },
    change: "updates",
  },
  labelsAll: {
    description:
      "All labels of the session: default ones, declared ones, and the provider's own, which say who owns it.",
    type: labelSet,
    change: "updates",
    declaredBy: "provider",
    madeFrom: { inputs: ["labels"], settings: ["defaultLabels", "repository"] },
  },
  stackId: {
    description: "Id of the stack, in the plugin. With dynamic resources the label `pulumi-stack-id` alone has it.",
    type: z.string().optional(),
    change: "stored",
    declaredBy: "provider",
    isInternal: true,
    isReadable: true,
  },
  idleTimeoutSeconds: {
    description: "Idle time after which AGB releases the session, in seconds.",
    type: wholeSeconds.optional(),
    example: 600,
    change: "replaces",
  },
  policyId: {
    description: "Id of a policy from AGB's console, such as one that lets sessions live longer.",
    type: filledString.optional(),
    example: "longDuration-policy",
    change: "replaces",
  },
  ignoreLabels: {
    description: "Labels to leave to other tools: keys, or prefixes that end in `*`.",
    type: labelPatterns.optional(),
    example: ["gateway-*"],
    change: "stored",
  },
  contextSyncs: {
    description: "Contexts that the session mounts, so that their files outlive it.",
    type: contextSyncList.optional(),
    example: [{ contextId: "SdkCtx-4hq2mzp9", path: "/home/user/cache" }],
    change: "replaces",
  },
  releaseWithoutUpload: {
    description: "Whether to release the session although its files could not be uploaded to its contexts.",
    type: z.boolean().optional(),
    example: true,
    change: "stored",
  },
  keepAlive: {
    description:
      "Whether each refresh, preview and update counts as use of the session, so that its idle time begins again.",
    type: z.boolean().optional(),
    example: true,
    change: "stored",
  },
  adopt: {
    description: "A running session to take over instead of creating one: by id, or by labels that match exactly one.",
    type: z
      .strictObject(
        { sessionId: filledString.optional(), labels: z.record(z.string(), filledString).optional() },
        mustBe("an object with sessionId or labels"),
      )
      .refine(({ sessionId, labels }) => (sessionId === undefined) !== (labels === undefined), {
        error: adoptionRule,
        ...ruleCode("AGB113"),
        ...despiteInnerIssues,
      })
      .refine(({ labels }) => labels === undefined || Object.keys(labels).length > 0, {
        error: adoptionRule,
        ...ruleCode("AGB113"),
      })
      .optional(),
    example: { labels: { purpose: "demo" } },
    change: "stored",
  },
  onRelease: {
    description:
      "What to do when AGB has released the session: recreate it, or keep it in the state with `released: true`.",
    type: z.enum(["recreate", "keep"]).optional(),
    example: "keep",
    change: "stored",
  },
  retainOnDelete: {
    description:
      "Whether the session keeps running when its resource is deleted. Set it together with the resource option of the same " +
      "name, because Pulumi does not tell a plugin. It labels the session, so that no sweep releases it. Default: false. A " +
      "change updates the session in place.",
    type: z.boolean().optional(),
    example: true,
    change: "stored",
    declaredBy: "plugin-program",
  },
  timeouts: timeoutsInput,
  appInstanceId: {
    description: "AGB's id of the running instance behind the session.",
    type: z.string().optional(),
    change: "output",
  },
  resourceId: {
    description: "AGB's id of the resource behind the session.",
    type: z.string().optional(),
    change: "output",
  },
  released: {
    description: "Whether AGB has released a session that is kept in the state.",
    type: z.boolean().optional(),
    change: "output",
  },
  ownToken: {
    description: "The create label that makes the session ours; only while the session does not carry it.",
    type: z.string().optional(),
    change: "output",
    isInternal: true,
  },
  formerToken: {
    description: "The create label that the session had before an adoption; only while that adoption is unfinished.",
    type: z.string().optional(),
    change: "output",
    isInternal: true,
  },
  downloadPending: {
    description: "Whether the first download of the mounted contexts has yet to succeed.",
    type: z.boolean().optional(),
    change: "output",
    isInternal: true,
  },
  service: serviceOutput,
} satisfies PropertiesOfKind;

/** A session as the state holds it; in inputs `labelsAll` lacks the create label. */
export type SessionState = StateOf<typeof sessionProperties>;

/** Limit of releasing a session that was created after the run had ended, with retries, in milliseconds. */
const abandonedReleaseMs = 10_000;

/** Makes the kind `AgbSession` for one process. */
export function sessionKind({ clock, creates, say }: KindRuntime): ResourceKind<SessionState> & {
  /** Releases sessions from earlier tries of finished creates. */
  finish(): Promise<void>;
} {
  const createRuntime = openCreateRuntime({ clock, ended: creates.ended, onSearch: searchReporter(say) });
  const keepAlive = new KeepAlive(clock);
  /** Ids of sessions that this run adopted. A replacement may have taken them from the resource that created them. */
  const adopted = new Set<string>();
  /** Whether all sessions of a name that the program declares may be released without an upload. */
  const mayLoseFiles = new Map<string, boolean>();

  function problems(news: Properties, { defaultLabels }: LabelSettings, resource: string | undefined): Problem[] {
    if (resource !== undefined) {
      mayLoseFiles.set(resource, news["releaseWithoutUpload"] === true && mayLoseFiles.get(resource) !== false);
    }
    return [...labelCountProblems(news, defaultLabels), ...ownerNameProblems(news), ...mountProblems(news)];
  }

  async function create(call: Call, inputs: SessionState) {
    requireStackId(inputs.labelsAll, call);
    if (inputs.adopt !== undefined) {
      const made = await adoptSession(call, inputs.adopt, inputs, clock, (sessionId) => void adopted.add(sessionId));
      if (inputs.keepAlive) {
        await keepAlive.restart(() => call, made.id);
      }
      return made;
    }
    const { imageId, labelsAll, idleTimeoutSeconds, policyId, contextSyncs: mounts = [] } = inputs;
    const request = { imageId, labels: labelsAll, idleTimeoutSeconds, policyId, mounts } satisfies SessionRequest;
    const made = await creates.run(
      async () => {
        const session = await createOwnedSession(call.client, request, createRuntime, call.unlimitedClient);
        const client = call.client.untilAborted(creates.ended);
        return { session, failure: await awaitDownloads(client, session.sessionId, mounts, clock) };
      },
      ({ session }) => releaseSession(call.unlimitedClient.within(abandonedReleaseMs), session.sessionId),
    );
    const { sessionId, labels, ...identity } = made.session;
    const state = sessionState({ ...inputs, ...identity }, inputs.labels, labels);
    if (made.failure !== undefined) {
      throw unfinishedDownload(sessionId, state, call.resource, made.failure);
    }
    return { id: sessionId, state };
  }

  async function read(call: Call, id: string, known: Partial<SessionState>) {
    const { client } = call;
    const observed = await observeSession(client, id);
    if (observed === undefined) {
      return "gone";
    }
    // `AgbSession.get` knows only the id, and so may a create whose reply was lost. Others need not ask again.
    const identity = known.appInstanceId === undefined ? await identifySession(client, id) : known;
    if (identity === undefined) {
      return "gone";
    }
    if (known.keepAlive && (await keepAlive.restart(() => call, id)) === "gone") {
      return "gone";
    }
    const { appInstanceId, resourceId } = identity;
    const { labelsAll = {}, ignoreLabels = [] } = known;
    const found = withoutLabels(observed.labels, foreignLabels(observed.labels, labelsAll, ignoreLabels));
    const facts = { ...known, appInstanceId, resourceId, ownToken: ownTokenOf(known) };
    return sessionState(facts, declaredLabels(found, known), found);
  }

  /** @param importId the id of a running session, or `IMAGE/ID`: AGB does not tell the image of a session */
  async function importSession(call: Call, importId: string, settings: LabelSettings) {
    const { client, resource = "", stack } = call;
    const end = importId.lastIndexOf("/");
    const [imageId, id] = [importId.slice(0, Math.max(end, 0)).trim(), importId.slice(end + 1).trim()];
    const found = id === "" ? undefined : await findSession(client, id);
    if (found === undefined) {
      return "gone";
    }
    const { labels: carried, appInstanceId, resourceId } = found;
    const owner = {
      ...(stack !== undefined && ownerLabels({ ...stack, resource })),
      ...(stack?.id !== undefined && !isUnknown(stack.id) && { [ownershipKeys.stackId]: stack.id }),
    };
    refuseOtherOwner(id, carried, owner, Object.keys(owner));
    const { defaultLabels, ignoreLabels } = settings;
    const labelsAll = withoutLabels(carried, foreignLabels(carried, defaultLabels, ignoreLabels));
    const labels = Object.entries(labelsAll).filter(([key, value]) => !isReserved(key) && defaultLabels[key] !== value);
    const token = tokenOf(carried);
    const isOurs = token !== undefined && Object.entries(owner).every(([key, value]) => carried[key] === value);
    const known = {
      imageId,
      appInstanceId,
      resourceId,
      ignoreLabels: withSettings(undefined, ignoreLabels),
      // Only a session that this stack has owned before carries its id. Others get it in the first update.
      stackId:
        carried[ownershipKeys.stackId] === owner[ownershipKeys.stackId] ? owner[ownershipKeys.stackId] : undefined,
      retainOnDelete: carried[ownershipKeys.retain] === "true" ? true : undefined,
      // By a token of its own, this resource notices if another one becomes the owner before its first update.
      ...(!isOurs && { ownToken: newCreateToken(new Date(clock.now())), formerToken: token }),
    };
    const state = sessionState(known as Partial<SessionState>, Object.fromEntries(labels), labelsAll);
    return { id, state };
  }

  /** Sets the labels and makes sure that the session has them, and only them. */
  async function update(call: Call, id: string, olds: Partial<SessionState>, news: SessionState) {
    const { client, resource } = call;
    requireStackId(news.labelsAll, call);
    const { appInstanceId, resourceId, released, downloadPending } = olds;
    const known = { ...news, appInstanceId, resourceId, downloadPending };
    if (released) {
      // Only what AGB does not see can change. The outputs keep the labels that the session had.
      return sessionState({ ...known, released }, olds.labels, olds.labelsAll);
    }
    const ownToken = ownTokenOf(olds) ?? newCreateToken(new Date(clock.now()));
    const wanted = { ...news.labelsAll, [ownershipKeys.create]: ownToken };
    const owned = { ...known, ownToken, formerToken: olds.formerToken };
    // When only other properties changed, AGB needs no call.
    if (!sameLabels(olds.labelsAll ?? {}, wanted)) {
      if (mayBeTakenOver(olds)) {
        await refuseTakenOver(client, id, olds);
      }
      await applyLabels(client, id, wanted, owned, previouslyManagedLabels(olds), resource);
    }
    const state = sessionState({ ...owned, downloadPending: undefined }, news.labels, wanted);
    if (downloadPending) {
      const failure = await repeatDownloads(client, id, news.contextSyncs ?? [], clock);
      if (failure instanceof AgbContextSyncError) {
        throw unfinishedDownload(id, state, resource, failure);
      }
      if (failure !== undefined) {
        // The state still says that the download is pending, and the kind has advice for other failures.
        throw failure;
      }
    }
    return state;
  }

  /** Uploads the files of mounted contexts, releases the session and waits until it is gone. */
  async function release(call: Call, id: string, known: Partial<SessionState>) {
    const { client, limitMs } = call;
    const startedMs = clock.elapsedMs();
    const isDoubtful = mayBeTakenOver(known) || adopted.has(id);
    if (isDoubtful && (await wasTakenOver(client, id, ownTokenOf(known)))) {
      call.warn(
        `session ${printable(id)} was taken over by another resource, by \`adopt\` or an import; it is not released.`,
        "AGB409",
      );
      return "deleted";
    }
    // The state of a session that is being replaced never gets what the program says now.
    const isDeclared = call.resource !== undefined && mayLoseFiles.get(call.resource) === true;
    const releaseWithoutUpload = known.releaseWithoutUpload === true || isDeclared;
    await uploadMounts(call, id, { ...known, releaseWithoutUpload }, clock);
    const spentMs = clock.elapsedMs() - startedMs;
    const leftMs = limitMs === undefined ? undefined : Math.max(0, Math.round(limitMs - spentMs));
    return (await releaseAndWait(client, id, clock, leftMs)) ? "deleted" : "absent";
  }

  return {
    name: "AgbSession",
    noun: "session",
    deleteVerb: "release",
    properties: sessionProperties,
    problems,
    withOwner: (news, { stack, resource = "" }, olds, { repository }) => {
      // It stays with the session: a new version of the plugin has a new provider, with another id.
      const stackId = olds["stackId"] ?? stack.id;
      if (isUnknown(news["retainOnDelete"])) {
        return { ...news, stackId, labelsAll: unknownValue };
      }
      return {
        ...news,
        stackId,
        labelsAll: {
          ...classLabels(news, olds),
          ...ownerLabels({ ...stack, resource, repository, retains: news["retainOnDelete"] === true }),
          ...(stackId !== undefined && { [ownershipKeys.stackId]: stackId }),
        },
      };
    },
    normalize: normalizeSession,
    inputsOf: (inputs) => ({ ...inputs, labelsAll: withoutCreateToken((inputs["labelsAll"] ?? {}) as Labels) }),
    differences: sessionDifferences,
    keepAlive: async (open, id, { released }, news) => {
      // A value that a preview does not know yet is not `true`. Whether the session is gone, the next refresh tells.
      if (news.keepAlive === true && !released) {
        await keepAlive.restart(open, id);
      }
    },
    // A session that was looked up has no image in the state. Its label names the resource of its owner.
    resourceName: ({ imageId, labelsAll }) => (imageId === undefined ? undefined : labelsAll?.[ownershipKeys.resource]),
    isDeclared: ({ imageId }) => imageId !== undefined,
    secrets: ({ adopt, labelsAll }) => [...labelSecrets(adopt?.labels ?? {}), ...labelSecrets(labelsAll ?? {})],
    isOver: ({ released }) => released === true,
    stateWhenGone: (known) => (known.onRelease === "keep" ? { ...known, released: true } : undefined),
    advice: sessionAdvice,
    create,
    read,
    import: importSession,
    update,
    delete: release,
    finish: () => createRuntime.twins.finish(),
  };
}

/**
 * Adds default labels and patterns. Declared labels win over default ones, and the owner's win over both. `labelsAll` is
 * what the session should carry, without the create label.
 */
const normalizeSession: NonNullable<ResourceKind<SessionState>["normalize"]> = (news, settings) => {
  const labels = news["labels"] ?? {};
  const owner = news["labelsAll"];
  const labelsAll =
    isUnknown(labels) || isUnknown(owner)
      ? unknownValue
      : { ...settings.defaultLabels, ...(labels as Labels), ...reservedLabels((owner ?? {}) as Labels) };
  const contextSyncs = sortedMounts(news["contextSyncs"]);
  const ignoreLabels = withSettings(news["ignoreLabels"], settings.ignoreLabels);
  return { ...news, labels, labelsAll, ignoreLabels, contextSyncs };
};

/**
 * Labels of the provider that the class set from what no plugin is told. They stay when a stack moves to a plugin, until its
 * program says something else.
 */
function classLabels(news: Properties, olds: Properties): Labels {
  const { repository, retain } = ownershipKeys;
  const isSaid = "retainOnDelete" in news || "retainOnDelete" in olds;
  const known = Object.entries((olds["labelsAll"] ?? {}) as Labels);
  return Object.fromEntries(known.filter(([key]) => key === repository || (key === retain && !isSaid)));
}

/** The patterns of the session and of the settings; `undefined` when there are none. */
function withSettings(declared: unknown, configured: readonly string[]): unknown {
  if (isUnknown(declared)) {
    return declared;
  }
  const patterns = [...new Set([...((declared ?? []) as unknown[]), ...configured])];
  return patterns.length > 0 ? patterns : undefined;
}

/**
 * Labels of a released session do not count as a difference. They can no longer be set, and the session that replaces it
 * gets the declared ones.
 */
function sessionDifferences(olds: Partial<SessionState>, news: SessionState) {
  const sameAtAgb = sameMounts(olds.contextSyncs, news.contextSyncs) ? ["contextSyncs"] : [];
  if (olds.released) {
    return { replaces: news.onRelease === "keep" ? [] : ["onRelease"], ignored: ["labels", "labelsAll", ...sameAtAgb] };
  }
  // The create label is not an input, so only the outputs show that the session does not carry its own.
  const lacksToken = olds.ownToken !== undefined || tokenOf(olds.labelsAll) === undefined;
  return {
    isUnfinished: lacksToken || olds.downloadPending === true,
    ignored: sameAtAgb,
    // A new session would download the files before the old one has uploaded them.
    deleteBeforeReplace: (olds.contextSyncs ?? []).length > 0,
  };
}

/**
 * Whether another resource may have taken the session over, as far as the state knows. AGB is not asked about other
 * sessions: that would cost one more call for each.
 */
function mayBeTakenOver({ adopt, ownToken }: Partial<SessionState>): boolean {
  return adopt !== undefined || ownToken !== undefined;
}
