import type * as pulumi from "@pulumi/pulumi";
import { defaultEndpoint, serviceName } from "../api/endpoint";
import { AgbApiError, AgbNotFoundError } from "../api/errors";
import { getLabels, type Labels } from "../api/labels";
import { getSession, releaseSession } from "../api/sessions";
import { AgbConfigurationError, type Settings } from "../config";
import { findAdoptable } from "../lifecycle/adopt";
import { foreignLabels, labelDifferences, type Problem, sameLabels, withoutLabels } from "../lifecycle/labels";
import { createTokenTime, newCreateToken, ownershipKeys, withoutCreateToken } from "../lifecycle/ownership";
import {
  createOwnedSession,
  identifySession,
  observeSession,
  releaseAndWait,
  replaceLabels,
} from "../lifecycle/session";
import { unlessGone } from "../lifecycle/unless-gone";
import { type Clock, systemClock } from "../lifecycle/wait";
import type { Account, Connection } from "./connection";
import { CreatesInFlight } from "./creates-in-flight";
import { type Attempt, DoubtfulAbsenceError, explainFailure, UnfinishedError } from "./failure";
import { cleanProperties, type Properties } from "./properties";
import { sessionInputs, sessionProblems } from "./session-check";
import {
  declaredPart,
  fixedProperties,
  inputsOf,
  instructionProperties,
  type OperationTimeouts,
  outputsOf,
  resourceName,
  type SessionProperties,
} from "./session-properties";

/** The life cycle of an `AgbSession`. */
export class SessionProvider implements pulumi.dynamic.ResourceProvider {
  private readonly creates = new CreatesInFlight();

  constructor(
    private readonly connection: Connection,
    private readonly clock: Clock = systemClock,
  ) {}

  configure = async ({ config }: pulumi.dynamic.ConfigureRequest): Promise<void> => {
    this.connection.configure(config);
  };

  /**
   * Refuses what cannot work, all problems at once, and adds default labels. Broken settings are problems too: thrown,
   * Pulumi would print them twice.
   */
  check = async (_olds: Properties, news: Properties): Promise<pulumi.dynamic.CheckResult> => {
    let settings: Settings;
    try {
      settings = this.connection.account().settings;
    } catch (error) {
      if (error instanceof AgbConfigurationError) {
        return { inputs: news, failures: error.problems.map((reason) => ({ property: "", reason })) };
      }
      throw error;
    }
    const problems = sessionProblems(news, settings.defaultLabels);
    return problems.length > 0
      ? { inputs: news, failures: problems.map(checkFailure) }
      : { inputs: cleanProperties(sessionInputs(news, settings)) };
  };

  /**
   * Says what a change means. Where inputs differ `changes` is left undefined: Pulumi then compares them itself, shows
   * the detail and honours `replaceOnChanges`.
   */
  diff = async (
    _id: string,
    olds: Partial<SessionProperties>,
    news: SessionProperties,
  ): Promise<pulumi.dynamic.DiffResult> => {
    const replaces: string[] = fixedProperties.filter((name) => olds[name] !== news[name]);
    if (olds.released && news.onRelease !== "keep") {
      replaces.push("onRelease");
    }
    const carried = olds.labelsAll ?? {};
    const inputsDiffer =
      replaces.length > 0 ||
      !sameLabels(olds.labels ?? {}, news.labels) ||
      !sameLabels(withoutCreateToken(carried), news.labelsAll) ||
      instructionProperties.some((name) => !isSameValue(olds[name], news[name]));
    if (inputsDiffer) {
      return { replaces };
    }
    // The create label is no input, so only the outputs show that someone removed or spoilt it.
    return { changes: !olds.released && createTokenTime(carried[ownershipKeys.create] ?? "") === undefined };
  };

  /** Makes the session, one call when nothing goes wrong, or takes over the one that `adopt` names. */
  create = (inputs: SessionProperties): Promise<pulumi.dynamic.CreateResult> =>
    this.explained(
      {
        verb: "create",
        resource: resourceName(inputs),
        limit: limitName(inputs, "create"),
        adopting: inputs.adopt !== undefined,
      },
      ({ client, settings }) => {
        const within = limited(client, inputs.timeouts?.create);
        const service = serviceName(settings.baseUrl);
        return inputs.adopt === undefined
          ? this.make(inputs, within, client, service)
          : this.adopt(inputs, inputs.adopt, within, service);
      },
    );

  /**
   * Sees how the session is. Gone means gone from the state, unless it is to be kept there; labels that differ from the
   * state go into both outputs and inputs, so that the next diff shows and repairs them.
   */
  read = (id: string, props: Partial<SessionProperties> = {}): Promise<pulumi.dynamic.ReadResult> =>
    this.explainedWithEitherKey({ verb: "refresh", resource: resourceName(props), sessionId: id }, async (account) => {
      const { labels = {}, labelsAll = {} } = props;
      if (props.released) {
        return readResult(id, outputsOf(props, labels, labelsAll));
      }
      const absent = () =>
        props.onRelease === "keep" ? readResult(id, outputsOf({ ...props, released: true }, labels, labelsAll)) : {};
      const observed = await observeSession(account.client, id);
      if (observed === undefined) {
        refuseDoubtfulAbsence(account, props);
        return absent();
      }
      // `AgbSession.get` knows the id alone, and so may a create whose reply was lost; others need not ask again.
      const identity = props.appInstanceId === undefined ? await identifySession(account.client, id) : props;
      if (identity === undefined) {
        return absent();
      }
      const { appInstanceId, resourceId } = identity;
      const ignored = foreignLabels(observed.labels, labelsAll, props.ignoreLabels ?? []);
      const found = withoutLabels(observed.labels, ignored);
      const service = props.labelsAll === undefined ? serviceName(account.settings.baseUrl) : props.service;
      const known = { ...props, appInstanceId, resourceId, service };
      return readResult(id, outputsOf(known, declaredPart(found, props), found));
    });

  /** Sets the labels and makes sure that the session has them, and only them. */
  update = (
    id: string,
    olds: Partial<SessionProperties>,
    news: SessionProperties,
  ): Promise<pulumi.dynamic.UpdateResult> =>
    this.explained(
      { verb: "update", resource: resourceName(news), sessionId: id, limit: limitName(news, "update") },
      async (account) => {
        const { appInstanceId, resourceId, released, service } = olds;
        const known = { ...news, appInstanceId, resourceId, service };
        const oldToken = olds.labelsAll?.[ownershipKeys.create] ?? "";
        const isGood = createTokenTime(oldToken) !== undefined;
        const createToken = isGood ? oldToken : newCreateToken(new Date(this.clock.now()));
        const wanted = { ...news.labelsAll, [ownershipKeys.create]: createToken };
        // A released session has no labels to set, and where only instructions changed there is nothing to tell AGB.
        if (!released && !sameLabels(olds.labelsAll ?? {}, wanted)) {
          await this.settleLabels(id, limited(account.client, news.timeouts?.update), wanted, known, formerlyOwn(olds));
        }
        return { outs: outputsOf({ ...known, released }, news.labels, wanted) };
      },
    );

  /** Releases the session and waits until it is gone. One that is gone already is a success. */
  delete = (id: string, props: Partial<SessionProperties>): Promise<void> =>
    this.explainedWithEitherKey(
      { verb: "release", resource: resourceName(props), sessionId: id, limit: limitName(props, "delete") },
      async (account) => {
        if (props.released) {
          return;
        }
        const seconds = props.timeouts?.delete;
        const client = limited(account.client, seconds);
        if (props.adopt !== undefined && (await wasTakenOver(client, id, props.labelsAll ?? {}))) {
          console.error(`agb: session ${id} was taken over by another resource with \`adopt\`; it is not released.`);
          return;
        }
        const wasThere = await releaseAndWait(client, id, this.clock, seconds && seconds * 1_000);
        if (!wasThere) {
          refuseDoubtfulAbsence(account, props);
        }
      },
    );

  /** Releases what is being made now, because the run has ended and nobody will write it into a state. */
  abandonCreates(): Promise<void> {
    return this.creates.abandon();
  }

  /** @param unlimited client for what must not be cut short: the search for a lost session and its release */
  private async make(
    inputs: SessionProperties,
    client: Account["client"],
    unlimited: Account["client"],
    service: string | undefined,
  ): Promise<pulumi.dynamic.CreateResult> {
    const { imageId, labelsAll, idleTimeoutSeconds, policyId } = inputs;
    const request = { imageId, labels: labelsAll, idleTimeoutSeconds, policyId };
    const { sessionId, labels, ...identity } = await this.creates.run(
      () => createOwnedSession(client, request, this.clock, unlimited),
      (made) => releaseSession(unlimited, made.sessionId),
    );
    return { id: sessionId, outs: outputsOf({ ...inputs, ...identity, service }, inputs.labels, labels) };
  }

  private async adopt(
    inputs: SessionProperties,
    target: NonNullable<SessionProperties["adopt"]>,
    client: Account["client"],
    service: string | undefined,
  ): Promise<pulumi.dynamic.CreateResult> {
    const { sessionId, labels } = await findAdoptable(client, target, inputs.labelsAll);
    const { appInstanceId, resourceId } = await getSession(client, sessionId);
    // A new token: a former owner sees that the session is no longer its own, and a sweep that it has just become ours.
    const wanted = { ...inputs.labelsAll, [ownershipKeys.create]: newCreateToken(new Date(this.clock.now())) };
    const known = { ...inputs, appInstanceId, resourceId, service };
    try {
      await this.settleLabels(sessionId, client, wanted, known);
    } catch (error) {
      if (error instanceof UnfinishedError || isRefused(error)) {
        throw error;
      }
      // The labels may have been set: outside the state the session would be an orphan that is swept.
      const left = withoutLabels(labels, foreignLabels(labels, wanted, inputs.ignoreLabels ?? []));
      const before = { ...left, [ownershipKeys.create]: wanted[ownershipKeys.create] ?? "" };
      const properties = { ...outputsOf(known, declaredPart(before, known), before), __provider: inputs.__provider };
      throw new UnfinishedError(sessionId, cleanProperties(properties), [
        `session ${sessionId} is taken over by AgbSession "${resourceName(inputs)}", but its labels could not be set ` +
          `for certain: ${error instanceof Error ? error.message : String(error)}. The next \`pulumi up\` tries again.`,
      ]);
    }
    return { id: sessionId, outs: outputsOf(known, inputs.labels, wanted) };
  }

  private async settleLabels(
    id: string,
    client: Account["client"],
    wanted: Labels,
    known: SessionProperties,
    dropped: Labels = {},
  ): Promise<void> {
    const found = await replaceLabels(client, id, wanted, known.ignoreLabels, dropped);
    const differences = labelDifferences(wanted, found);
    if (differences.length > 0) {
      const properties = { ...outputsOf(known, declaredPart(found, known), found), __provider: known.__provider };
      throw new UnfinishedError(id, cleanProperties(properties), [
        `the labels of AgbSession "${resourceName(known)}" (session ${id}) are not as they were set: ` +
          `${differences.join(", ")}. AGB or another tool changed them at the same moment, or this AGB adds labels ` +
          "instead of replacing them. The state holds what the session has; the next `pulumi up` tries again.",
      ]);
    }
  }

  private explained<Result>(attempt: Omit<Attempt, "account">, work: (account: Account) => Promise<Result>) {
    return this.explaining(attempt, work, async (use) => use(this.connection.account()));
  }

  private explainedWithEitherKey<Result>(
    attempt: Omit<Attempt, "account">,
    work: (account: Account) => Promise<Result>,
  ): Promise<Result> {
    return this.explaining(attempt, work, (use) => this.connection.useEitherKey(use));
  }

  private async explaining<Result>(
    attempt: Omit<Attempt, "account">,
    work: (account: Account) => Promise<Result>,
    choose: (use: (account: Account) => Promise<Result>) => Promise<Result>,
  ): Promise<Result> {
    let used: Account | undefined;
    try {
      return await choose((account) => {
        used = account;
        return work(account);
      });
    } catch (error) {
      throw explainFailure(error, { ...attempt, account: used });
    }
  }
}

/** Pulumi prints the value of the property that a failure names, and it may be secret: so the path goes in the text. */
function checkFailure({ path, reason }: Problem): pulumi.dynamic.CheckFailure {
  return { property: "", reason: `${path}: ${reason}` };
}

function readResult(id: string, outputs: Properties): pulumi.dynamic.ReadResult {
  return { id, props: outputs, inputs: inputsOf(outputs) };
}

/** The client for an operation that has a limit of its own. */
function limited(client: Account["client"], seconds: number | undefined): Account["client"] {
  return seconds === undefined ? client : client.within(seconds * 1_000);
}

function limitName({ timeouts }: Partial<SessionProperties>, operation: keyof OperationTimeouts): string | undefined {
  return timeouts?.[operation] === undefined ? undefined : `timeouts.${operation}`;
}

/**
 * The labels of the state that a pattern of the state would have left out, had they not been declared: those that the
 * program drops now are ours to remove.
 */
function formerlyOwn({ labelsAll = {}, ignoreLabels = [] }: Partial<SessionProperties>): Labels {
  return foreignLabels(labelsAll, {}, ignoreLabels);
}

/** Whether AGB itself said that it did not set the labels. */
function isRefused(error: unknown): boolean {
  const refused = error instanceof AgbApiError && error.isFromAgb && error.status < 500 && error.status !== 408;
  return refused && (error.operation === "SetLabel" || error instanceof AgbNotFoundError);
}

/** Whether the session carries the create label of a later adoption than the one that the state knows of. */
async function wasTakenOver(client: Account["client"], id: string, labelsAll: Labels): Promise<boolean> {
  const known = labelsAll[ownershipKeys.create];
  const found = (await unlessGone(getLabels(client, id)))?.[ownershipKeys.create] ?? "";
  return known !== undefined && found !== known && createTokenTime(found) !== undefined;
}

/**
 * "Not found" says nothing where the session may well live on unseen: the key only stands in for a refused one and may
 * be another account's, or the session was made at another service than the one that was asked.
 */
function refuseDoubtfulAbsence({ settings, apiKey }: Account, known: Partial<SessionProperties>): void {
  if (apiKey !== settings.apiKey) {
    throw new DoubtfulAbsenceError(
      `AGB refused the key from ${settings.apiKey.source}, and with the one from ${apiKey.source} the session is not ` +
        "found: it is gone, or it belongs to another account",
      "rotated key",
    );
  }
  // `AgbSession.get` knows nothing but the id.
  if (known.labelsAll !== undefined && known.service !== serviceName(settings.baseUrl)) {
    const madeAt = known.service === "local" ? "a local emulator" : (known.service ?? defaultEndpoint);
    throw new DoubtfulAbsenceError(
      `the session was made at ${madeAt} and may still run there; ${settings.baseUrl}, which was asked now, does not ` +
        "know it",
      "other service",
    );
  }
}

// The values are what Pulumi carries: JSON without order in its objects.
function isSameValue(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );
}
