import type * as pulumi from "@pulumi/pulumi";
import type { AgbClient } from "../api/client";
import { AgbNotFoundError } from "../api/errors";
import type { Labels } from "../api/labels";
import { getSession, type SessionIdentity } from "../api/sessions";
import { AgbConfigurationError } from "../config";
import { labelDifferences, type Problem, sameLabels } from "../lifecycle/labels";
import { isReserved, newCreateToken, ownershipKeys, withoutCreateToken } from "../lifecycle/ownership";
import { createOwnedSession, observeSession, releaseAndWait, replaceLabels } from "../lifecycle/session";
import { type Clock, systemClock } from "../lifecycle/wait";
import type { Connection } from "./connection";
import { type Attempt, explainFailure, UnfinishedError } from "./failure";
import { cleanProperties, type Properties } from "./properties";
import { sessionInputs, sessionProblems } from "./session-check";

/** A session as the state holds it and as `check` hands it on; `labelsAll` holds the create label only in outputs. */
interface SessionProperties {
  readonly imageId: string;
  readonly labels: Labels;
  readonly labelsAll: Labels;
  readonly idleTimeoutSeconds?: number;
  readonly policyId?: string;
  readonly appInstanceId?: string | undefined;
  readonly resourceId?: string | undefined;
  readonly __provider?: string;
}

/** Properties that AGB can neither change nor tell: a new value means a new session. */
const fixedProperties = ["imageId", "idleTimeoutSeconds", "policyId"] as const;

/** The life cycle of an `AgbSession`. */
export class SessionProvider implements pulumi.dynamic.ResourceProvider {
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
    let defaultLabels: Labels;
    try {
      defaultLabels = this.connection.account().settings.defaultLabels;
    } catch (error) {
      if (error instanceof AgbConfigurationError) {
        return { inputs: news, failures: error.problems.map((reason) => ({ property: "", reason })) };
      }
      throw error;
    }
    const problems = sessionProblems(news, defaultLabels);
    return problems.length > 0
      ? { inputs: news, failures: problems.map(checkFailure) }
      : { inputs: cleanProperties(sessionInputs(news, defaultLabels)) };
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
    const replaces = fixedProperties.filter((name) => olds[name] !== news[name]);
    const carried = olds.labelsAll ?? {};
    const inputsDiffer =
      replaces.length > 0 ||
      !sameLabels(olds.labels ?? {}, news.labels) ||
      !sameLabels(withoutCreateToken(carried), news.labelsAll);
    if (inputsDiffer) {
      return { replaces };
    }
    // The create label is no input, so only the outputs show that someone removed it.
    return { changes: !Object.hasOwn(carried, ownershipKeys.create) };
  };

  /** Makes the session: one call when nothing goes wrong. */
  create = (inputs: SessionProperties): Promise<pulumi.dynamic.CreateResult> =>
    this.explained({ verb: "create", resource: resourceName(inputs) }, async () => {
      const { imageId, labelsAll, idleTimeoutSeconds, policyId } = inputs;
      const request = { imageId, labels: labelsAll, idleTimeoutSeconds, policyId };
      const { client } = this.connection.account();
      const { sessionId, labels, ...identity } = await createOwnedSession(client, request, this.clock);
      return { id: sessionId, outs: outputsOf({ ...inputs, ...identity }, inputs.labels, labels) };
    });

  /**
   * Sees how the session is. Gone means gone from the state; labels that differ from the state go into both outputs
   * and inputs, so that the next diff shows and repairs them.
   */
  read = (id: string, props: Partial<SessionProperties> = {}): Promise<pulumi.dynamic.ReadResult> =>
    this.explained({ verb: "refresh", resource: resourceName(props), sessionId: id }, async () => {
      const { client } = this.connection.account();
      const observed = await observeSession(client, id);
      if (observed === undefined) {
        return {};
      }
      // `AgbSession.get` knows the id alone, and so may a create whose reply was lost; others need not ask again.
      const identity = props.appInstanceId === undefined ? await identify(client, id) : {};
      if (identity === undefined) {
        return {};
      }
      const { appInstanceId = identity.appInstanceId, resourceId = identity.resourceId } = props;
      const known = { ...props, appInstanceId, resourceId };
      const outputs = outputsOf(known, declaredPart(observed.labels, props), observed.labels);
      return { id, props: outputs, inputs: inputsOf(outputs) };
    });

  /** Sets the labels and makes sure that the session has them, and only them. */
  update = (
    id: string,
    olds: Partial<SessionProperties>,
    news: SessionProperties,
  ): Promise<pulumi.dynamic.UpdateResult> =>
    this.explained({ verb: "update", resource: resourceName(news), sessionId: id }, async () => {
      const { client } = this.connection.account();
      const createToken = olds.labelsAll?.[ownershipKeys.create] ?? newCreateToken(new Date(this.clock.now()));
      const wanted = { ...news.labelsAll, [ownershipKeys.create]: createToken };
      const found = await replaceLabels(client, id, wanted);
      const { appInstanceId, resourceId } = olds;
      const known = { ...news, appInstanceId, resourceId };
      const differences = labelDifferences(wanted, found);
      if (differences.length > 0) {
        const properties = { ...outputsOf(known, declaredPart(found, news), found), __provider: news.__provider };
        throw new UnfinishedError(id, cleanProperties(properties), [
          `the labels of AgbSession "${resourceName(news)}" (session ${id}) are not as they were set: ` +
            `${differences.join(", ")}. AGB or another tool changed them at the same moment, or this AGB adds labels ` +
            "instead of replacing them. The state holds what the session has; the next `pulumi up` tries again.",
        ]);
      }
      return { outs: outputsOf(known, news.labels, found) };
    });

  /** Releases the session and waits until it is gone. One that is gone already is a success. */
  delete = (id: string, props: Partial<SessionProperties>): Promise<void> =>
    this.explained({ verb: "release", resource: resourceName(props), sessionId: id }, () =>
      releaseAndWait(this.connection.account().client, id, this.clock),
    );

  private async explained<Result>(attempt: Omit<Attempt, "settings">, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw explainFailure(error, { ...attempt, settings: this.connection.settingsIfOpen() });
    }
  }
}

/** Pulumi prints the value of the property that a failure names, and it may be secret: so the path goes in the text. */
function checkFailure({ path, reason }: Problem): pulumi.dynamic.CheckFailure {
  return { property: "", reason: `${path}: ${reason}` };
}

/** The unchanging parts of a session, `undefined` when it is gone. */
async function identify(client: AgbClient, id: string): Promise<Partial<SessionIdentity> | undefined> {
  try {
    return await getSession(client, id);
  } catch (error) {
    if (error instanceof AgbNotFoundError) {
      return undefined;
    }
    throw error;
  }
}

/** What the state holds of a session. */
function outputsOf(known: Partial<SessionProperties>, labels: Labels, labelsAll: Labels): Properties {
  const { imageId, idleTimeoutSeconds, policyId, appInstanceId, resourceId } = known;
  return cleanProperties({
    imageId,
    labels,
    labelsAll,
    idleTimeoutSeconds,
    policyId,
    appInstanceId,
    resourceId,
  });
}

/** The inputs that would have led to these outputs. */
function inputsOf(outputs: Properties): Properties {
  const { appInstanceId: _, resourceId: __, labelsAll, ...inputs } = outputs;
  return { ...inputs, labelsAll: withoutCreateToken(labelsAll as Labels) };
}

/**
 * The labels that count as declared: those that were, with the value they have now, and those that came from
 * elsewhere, so that the next diff drops them. Default labels and the provider's own are left to `labelsAll`.
 */
function declaredPart(found: Labels, known: Partial<SessionProperties>): Labels {
  const { labels = {}, labelsAll = {} } = known;
  const isDefault = (key: string) => Object.hasOwn(labelsAll, key) && !Object.hasOwn(labels, key);
  return Object.fromEntries(Object.entries(found).filter(([key]) => !isReserved(key) && !isDefault(key)));
}

function resourceName(properties: Partial<SessionProperties> | Properties): string | undefined {
  const labelsAll = properties.labelsAll as Labels | undefined;
  return labelsAll?.[ownershipKeys.resource];
}
