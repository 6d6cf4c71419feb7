import { z } from "zod";
import { AgbApiError, AgbAuthenticationError, AgbNotFoundError } from "../api/errors";
import { labelSecrets } from "../api/known-secrets";
import type { Labels } from "../api/labels";
import { printable } from "../api/outside-text";
import { isTransient } from "../api/retry";
import { releaseSession } from "../api/sessions";
import { AgbAdoptError, wasTakenOver } from "../lifecycle/adopt";
import { mayHaveHadEffect } from "../lifecycle/create-outcome";
import { openCreateRuntime } from "../lifecycle/create-runtime";
import { AgbReleaseTimeoutError, AgbUncertainCreateError } from "../lifecycle/errors";
import { foreignLabels, sameLabels, withoutLabels } from "../lifecycle/labels";
import { newCreateToken, ownershipKeys, withoutCreateToken } from "../lifecycle/ownership";
import { createOwnedSession, identifySession, observeSession, releaseAndWait } from "../lifecycle/session";
import { MissingLookupError } from "./certain-absence";
import { isAtWrongAddress } from "./failure";
import type { Call, KindRuntime, PropertiesOfKind, ResourceKind, StateOf } from "./kind";
import { searchReporter } from "./log";
import { ownTokenOf, refuseTakenOver, TakenOverError, tokenOf } from "./own-token";
import { adoptSession } from "./session-adoption";
import {
  applyLabels,
  declaredLabels,
  labelCountProblems,
  ownerNameProblems,
  previouslyManagedLabels,
  reservedLabels,
  sessionState,
} from "./session-labels";
import { MissingStackIdError, requireStackId } from "./stack-identity";
import { filledString, labelPatterns, labelSet, mustBe, serviceOutput, timeoutsInput, wholeSeconds } from "./types";
import { isUnknown, unknownValue } from "./unknown";

const adoptionRule = "must hold either sessionId or at least one of labels";

/** Everything that a program can declare of a session and that the state holds. */
export const sessionProperties = {
  imageId: {
    description: "Id of the image that the session runs.",
    type: filledString,
    example: "agb-code-space-1",
    change: "replaces",
  },
  labels: {
    description: "Labels of the session.",
    type: labelSet.optional(),
    change: "updates",
  },
  labelsAll: {
    description:
      "All labels of the session: default ones, declared ones, and the provider's own, which say who owns it.",
    type: labelSet,
    change: "updates",
    declaredBy: "provider",
  },
  idleTimeoutSeconds: {
    description: "Idle time after which AGB releases the session, in seconds.",
    type: wholeSeconds.optional(),
    change: "replaces",
  },
  policyId: {
    description: "Id of a policy made in AGB's console, such as one with a longer life.",
    type: filledString.optional(),
    change: "replaces",
  },
  ignoreLabels: {
    description: "Labels that are left to other tools: keys, or prefixes that end in `*`.",
    type: labelPatterns.optional(),
    change: "stored",
  },
  adopt: {
    description:
      "A running session to take over instead of creating one: by id, or by labels that exactly one carries.",
    type: z
      .strictObject(
        { sessionId: filledString.optional(), labels: z.record(z.string(), filledString).optional() },
        mustBe("{ sessionId } or { labels }"),
      )
      .refine(({ sessionId, labels }) => (sessionId === undefined) !== (labels === undefined), adoptionRule)
      .refine(({ labels }) => labels === undefined || Object.keys(labels).length > 0, adoptionRule)
      .optional(),
    change: "stored",
  },
  onRelease: {
    description:
      "What to do when AGB has released the session: recreate it, or keep it in the state with `released` set.",
    type: z.enum(["recreate", "keep"]).optional(),
    change: "stored",
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
  },
  formerToken: {
    description: "The create label that the session had before an adoption; only while that adoption is unfinished.",
    type: z.string().optional(),
    change: "output",
  },
  service: serviceOutput,
} satisfies PropertiesOfKind;

/** A session as the state holds it; in inputs `labelsAll` lacks the create label. */
export type SessionState = StateOf<typeof sessionProperties>;

/** Limit of the release of a session that was created when the run was over, with its retries, in milliseconds. */
const abandonedReleaseMs = 10_000;

/** Makes the kind `AgbSession` for one process. */
export function sessionKind({ clock, creates, say }: KindRuntime): ResourceKind<SessionState> & {
  /** Releases what earlier tries of finished creates made. */
  finish(): Promise<void>;
} {
  const createRuntime = openCreateRuntime({ clock, ended: creates.ended, onSearch: searchReporter(say) });
  /** Ids of sessions that this run adopted: a replacement may have taken them from a resource that made them itself. */
  const adopted = new Set<string>();

  async function create(call: Call, inputs: SessionState) {
    requireStackId(inputs.labelsAll);
    if (inputs.adopt !== undefined) {
      return adoptSession(call, inputs.adopt, inputs, clock, (sessionId) => void adopted.add(sessionId));
    }
    const { imageId, labelsAll, idleTimeoutSeconds, policyId } = inputs;
    const request = { imageId, labels: labelsAll, idleTimeoutSeconds, policyId };
    const { sessionId, labels, ...identity } = await creates.run(
      () => createOwnedSession(call.client, request, createRuntime, call.unlimitedClient),
      (made) => releaseSession(call.unlimitedClient.within(abandonedReleaseMs), made.sessionId),
    );
    return { id: sessionId, state: sessionState({ ...inputs, ...identity }, inputs.labels, labels) };
  }

  async function read({ client }: Call, id: string, known: Partial<SessionState>) {
    const observed = await observeSession(client, id);
    if (observed === undefined) {
      return "gone";
    }
    // `AgbSession.get` knows the id alone, and so may a create whose reply was lost; others need not ask again.
    const identity = known.appInstanceId === undefined ? await identifySession(client, id) : known;
    if (identity === undefined) {
      return "gone";
    }
    const { appInstanceId, resourceId } = identity;
    const { labelsAll = {}, ignoreLabels = [] } = known;
    const found = withoutLabels(observed.labels, foreignLabels(observed.labels, labelsAll, ignoreLabels));
    const facts = { ...known, appInstanceId, resourceId, ownToken: ownTokenOf(known) };
    return sessionState(facts, declaredLabels(found, known), found);
  }

  /** Sets the labels and makes sure that the session has them, and only them. */
  async function update({ client, resource }: Call, id: string, olds: Partial<SessionState>, news: SessionState) {
    requireStackId(news.labelsAll);
    const { appInstanceId, resourceId, released } = olds;
    const known = { ...news, appInstanceId, resourceId };
    if (released) {
      // Only what AGB does not see can change: the outputs keep the labels that the session had.
      return sessionState({ ...known, released }, olds.labels, olds.labelsAll);
    }
    const ownToken = ownTokenOf(olds) ?? newCreateToken(new Date(clock.now()));
    const wanted = { ...news.labelsAll, [ownershipKeys.create]: ownToken };
    const owned = { ...known, ownToken, formerToken: olds.formerToken };
    // Where only other properties changed there is nothing to tell AGB.
    if (!sameLabels(olds.labelsAll ?? {}, wanted)) {
      if (mayBeTakenOver(olds)) {
        await refuseTakenOver(client, id, olds);
      }
      await applyLabels(client, id, wanted, owned, previouslyManagedLabels(olds), resource);
    }
    return sessionState(owned, news.labels, wanted);
  }

  /** Releases the session and waits until it is gone. */
  async function release({ client, limitMs, say }: Call, id: string, known: Partial<SessionState>) {
    const isDoubtful = mayBeTakenOver(known) || adopted.has(id);
    if (isDoubtful && (await wasTakenOver(client, id, ownTokenOf(known)))) {
      say(`session ${printable(id)} was taken over by another resource with \`adopt\`; it is not released.`);
      return "deleted";
    }
    return (await releaseAndWait(client, id, clock, limitMs)) ? "deleted" : "absent";
  }

  return {
    name: "AgbSession",
    noun: "session",
    deleteVerb: "release",
    properties: sessionProperties,
    problems: (news, { defaultLabels }) => [...labelCountProblems(news, defaultLabels), ...ownerNameProblems(news)],
    normalize: normalizeSession,
    inputsOf: (outputs) => ({ ...outputs, labelsAll: withoutCreateToken((outputs["labelsAll"] ?? {}) as Labels) }),
    differences: sessionDifferences,
    // A session that was looked up has no image in the state, and its label names the resource of its owner.
    resourceName: ({ imageId, labelsAll }) => (imageId === undefined ? undefined : labelsAll?.[ownershipKeys.resource]),
    isDeclared: ({ imageId }) => imageId !== undefined,
    secrets: ({ adopt, labelsAll }) => [...labelSecrets(adopt?.labels ?? {}), ...labelSecrets(labelsAll ?? {})],
    isOver: ({ released }) => released === true,
    stateWhenGone: (known) => (known.onRelease === "keep" ? { ...known, released: true } : undefined),
    advice: sessionAdvice,
    create,
    read,
    update,
    delete: release,
    finish: () => createRuntime.twins.finish(),
  };
}

/**
 * Adds default labels and patterns. Declared labels win over default ones, the owner's over both. `labelsAll` is what the
 * session is to carry, without the create label.
 */
const normalizeSession: NonNullable<ResourceKind<SessionState>["normalize"]> = (news, settings) => {
  const labels = news["labels"] ?? {};
  const owner = news["labelsAll"];
  const labelsAll =
    isUnknown(labels) || isUnknown(owner)
      ? unknownValue
      : { ...settings.defaultLabels, ...(labels as Labels), ...reservedLabels((owner ?? {}) as Labels) };
  return { ...news, labels, labelsAll, ignoreLabels: withSettings(news["ignoreLabels"], settings.ignoreLabels) };
};

/** The patterns of the session and those of the settings, `undefined` when there are none. */
function withSettings(declared: unknown, configured: readonly string[]): unknown {
  if (isUnknown(declared)) {
    return declared;
  }
  const patterns = [...new Set([...((declared ?? []) as unknown[]), ...configured])];
  return patterns.length > 0 ? patterns : undefined;
}

/**
 * Labels of a released session are no difference: nothing can set them any more, and the session that replaces it gets
 * the declared ones.
 */
function sessionDifferences(olds: Partial<SessionState>, news: SessionState) {
  if (olds.released) {
    return { replaces: news.onRelease === "keep" ? [] : ["onRelease"], ignored: ["labels", "labelsAll"] };
  }
  // The create label is no input, so only the outputs show that the session does not carry its own.
  return { isUnfinished: olds.ownToken !== undefined || tokenOf(olds.labelsAll) === undefined };
}

/**
 * Whether another resource may have taken the session over, as far as the state knows. AGB is not asked about other
 * sessions: that would cost one more call for each.
 */
function mayBeTakenOver({ adopt, ownToken }: Partial<SessionState>): boolean {
  return adopt !== undefined || ownToken !== undefined;
}

const sessionAdvice: NonNullable<ResourceKind<SessionState>["advice"]> = (error, failed) => {
  if (error instanceof AgbAdoptError || error instanceof MissingStackIdError) {
    return "";
  }
  if (error instanceof TakenOverError) {
    return (
      "Remove this resource from the program: that does not release a session of another owner. If no other resource " +
      `owns the session, take the label ${ownershipKeys.create} off it and run \`pulumi up --refresh\`.`
    );
  }
  if (error instanceof MissingLookupError) {
    return "AGB releases idle sessions. Give `AgbSession.get` the id of a running session, or remove it from the program.";
  }
  if (error instanceof AgbNotFoundError) {
    return failed.operation === "create"
      ? "The session that `adopt` names is not running. Remove `adopt` to create a new one."
      : "The session is gone: AGB releases idle sessions, or someone released it. Run `pulumi up --refresh` to recreate it.";
  }
  if (error instanceof AgbApiError && error.operation === "createSession" && !mayHaveHadEffect(error)) {
    return isAtWrongAddress(error) || error instanceof AgbAuthenticationError ? undefined : createAdvice(error);
  }
  if (error instanceof AgbUncertainCreateError) {
    return (
      `${failed.endpointAdvice} If it is AGB's: look for a session with that label before you run \`pulumi up\` again. ` +
      "AGB releases it when it is idle; `npx pulumi-agb sweep` releases it earlier."
    );
  }
  return error instanceof AgbReleaseTimeoutError ? "Run the command again to look once more." : undefined;
};

/** Advice on a create that made nothing: where a session may exist, the error is an `AgbUncertainCreateError`. */
function createAdvice(error: AgbApiError): string {
  if (isTransient(error)) {
    return "Nothing was created. Wait a while, then run `pulumi up` again.";
  }
  return (
    "Nothing was created. Check imageId and policyId (both depend on the account) and how many sessions it may run. A " +
    "replacement is created before the old session is released; set `deleteBeforeReplace` to reverse the order."
  );
}
