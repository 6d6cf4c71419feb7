import type * as pulumi from "@pulumi/pulumi";
import { serviceName } from "../api/endpoint";
import { getLabels } from "../api/labels";
import { printable } from "../api/outside-text";
import { releaseSession } from "../api/sessions";
import { AgbConfigurationError } from "../config";
import { type AdoptTarget, wasTakenOver } from "../lifecycle/adopt";
import { type CreateRuntime, openCreateRuntime } from "../lifecycle/create-runtime";
import { foreignLabels, type Problem, sameLabels, withoutLabels } from "../lifecycle/labels";
import { newCreateToken, ownershipKeys } from "../lifecycle/ownership";
import { createOwnedSession, identifySession, observeSession, releaseAndWait } from "../lifecycle/session";
import { type Clock, systemClock } from "../lifecycle/wait";
import { attemptWithAccount, attemptWithEitherKey } from "./attempt";
import type { Account, Connection } from "./connection";
import { CreatesInFlight } from "./creates-in-flight";
import { refuseDoubtfulAbsence } from "./doubtful-absence";
import { explainNoAccess, UnfinishedError } from "./failure";
import { searchReporter } from "./log";
import { isLookup, ownName, refuseMissingLookup } from "./missing-lookup";
import { ownTokenOf, refuseTakenOver } from "./own-token";
import { cleanProperties, type Properties } from "./properties";
import { adoptSession } from "./session-adoption";
import { sessionInputs, sessionProblems } from "./session-check";
import { diffSession } from "./session-diff";
import { formerlyOwn, settleLabels } from "./session-labels";
import { declaredPart, inputsOf, outputsOf, resourceName, type SessionProperties } from "./session-properties";
import { limited, limitName } from "./session-timeouts";
import { requireStackId } from "./stack-identity";

/** Limit of the release of a session that was made when the run was over, with its retries, in milliseconds. */
const abandonedReleaseMs = 10_000;

/** The life cycle of an `AgbSession`. */
export class SessionProvider implements pulumi.dynamic.ResourceProvider {
  private readonly creates = new CreatesInFlight();
  private readonly createRuntime: CreateRuntime;
  /** Ids of sessions that this run adopted: a replacement may have taken them from a resource that made them itself. */
  private readonly adopted = new Set<string>();

  constructor(
    private readonly connection: Connection,
    private readonly clock: Clock = systemClock,
  ) {
    this.createRuntime = openCreateRuntime({ clock, ended: this.creates.ended, onSearch: searchReporter() });
  }

  configure = async ({ config }: pulumi.dynamic.ConfigureRequest): Promise<void> => {
    this.connection.configure(config);
  };

  /**
   * Refuses what cannot work, all problems together, and adds default labels. Broken settings are problems too, and so
   * are a key that AGB refuses and an endpoint that is not AGB's: a preview shows them, and no `up` that changes nothing
   * writes them to the state.
   */
  check = async (_olds: Properties, news: Properties): Promise<pulumi.dynamic.CheckResult> => {
    let account: Account;
    try {
      account = this.connection.account();
    } catch (error) {
      if (error instanceof AgbConfigurationError) {
        return { inputs: news, failures: error.problems.map((reason) => ({ property: "", reason })) };
      }
      throw error;
    }
    const problems = sessionProblems(news, account.settings.defaultLabels);
    if (problems.length > 0) {
      return { inputs: news, failures: problems.map(checkFailure) };
    }
    try {
      await this.connection.confirm();
    } catch (error) {
      const reason =
        `AGB cannot be used with the present settings: ${explainNoAccess(error, account)} If this was an \`up\` without ` +
        "its preview, Pulumi has kept them in the state: after the change, run `pulumi refresh --run-program` first.";
      return { inputs: news, failures: [{ property: "", reason }] };
    }
    return { inputs: cleanProperties(sessionInputs(news, account.settings)) };
  };

  diff = diffSession;

  /** Makes the session, one call when nothing goes wrong, or takes over the one that `adopt` names. */
  create = (inputs: SessionProperties): Promise<pulumi.dynamic.CreateResult> =>
    attemptWithAccount(
      this.connection,
      {
        verb: "create",
        resource: resourceName(inputs),
        limit: limitName(inputs, "create"),
        adopting: inputs.adopt !== undefined,
        labels: [inputs.adopt?.labels, inputs.labelsAll],
      },
      ({ client, settings }) => {
        requireStackId(inputs.labelsAll);
        const within = limited(client, inputs.timeouts?.create);
        // Known once AGB has answered.
        const service = () => serviceName(settings.baseUrl, client.emulatorId);
        return inputs.adopt === undefined
          ? this.make(inputs, within, client, service)
          : this.adopt(inputs.adopt, inputs, within, service);
      },
    );

  /**
   * Sees how the session is. Gone means gone from the state, unless it is to be kept there; labels that differ from the
   * state go into both outputs and inputs, so that the next diff shows and repairs them.
   */
  read = (id: string, props: Partial<SessionProperties> = {}): Promise<pulumi.dynamic.ReadResult> =>
    attemptWithEitherKey(
      this.connection,
      {
        verb: isLookup(props) ? "look up" : "refresh",
        resource: ownName(props),
        sessionId: id,
        labels: [props.labelsAll],
      },
      async (account) => {
        const { labels = {}, labelsAll = {} } = props;
        if (props.released) {
          // Without inputs Pulumi keeps those that it has, with labels that were declared since.
          return { id, props: outputsOf(props, labels, labelsAll) };
        }
        const absent = () =>
          props.onRelease === "keep" ? readResult(id, outputsOf({ ...props, released: true }, labels, labelsAll)) : {};
        const observed = await observeSession(account.client, id);
        if (observed === undefined) {
          refuseDoubtfulAbsence(account, props);
          refuseMissingLookup(account, props);
          return absent();
        }
        // `AgbSession.get` knows the id alone, and so may a create whose reply was lost; others need not ask again.
        const identity = props.appInstanceId === undefined ? await identifySession(account.client, id) : props;
        if (identity === undefined) {
          refuseMissingLookup(account, props);
          return absent();
        }
        const { appInstanceId, resourceId } = identity;
        const ignored = foreignLabels(observed.labels, labelsAll, props.ignoreLabels ?? []);
        const found = withoutLabels(observed.labels, ignored);
        const { settings, client } = account;
        const service =
          props.labelsAll === undefined ? serviceName(settings.baseUrl, client.emulatorId) : props.service;
        const known = { ...props, appInstanceId, resourceId, service, ownToken: ownTokenOf(props) };
        return readResult(id, outputsOf(known, declaredPart(found, props), found));
      },
    );

  /** Sets the labels and makes sure that the session has them, and only them. */
  update = (
    id: string,
    olds: Partial<SessionProperties>,
    news: SessionProperties,
  ): Promise<pulumi.dynamic.UpdateResult> =>
    attemptWithAccount(
      this.connection,
      {
        verb: "update",
        resource: resourceName(news),
        sessionId: id,
        limit: limitName(news, "update"),
        labels: [olds.labelsAll, news.labelsAll],
      },
      async (account) => {
        requireStackId(news.labelsAll);
        const { appInstanceId, resourceId, released, service } = olds;
        const known = { ...news, appInstanceId, resourceId, service };
        if (released) {
          // Only instructions can change here: the outputs keep the labels that the session had.
          return { outs: outputsOf({ ...known, released }, olds.labels ?? {}, olds.labelsAll ?? {}) };
        }
        const ownToken = ownTokenOf(olds) ?? newCreateToken(new Date(this.clock.now()));
        const wanted = { ...news.labelsAll, [ownershipKeys.create]: ownToken };
        const owned = { ...known, ownToken, formerToken: olds.formerToken };
        // Where only instructions changed there is nothing to tell AGB.
        if (!sameLabels(olds.labelsAll ?? {}, wanted)) {
          const client = limited(account.client, news.timeouts?.update);
          if (mayBeTakenOver(olds)) {
            refuseTakenOver(await getLabels(client, id), olds);
          }
          await settleLabels(client, id, wanted, owned, formerlyOwn(olds));
        }
        return { outs: outputsOf(owned, news.labels, wanted) };
      },
    );

  /** Releases the session and waits until it is gone. One that is gone already is a success. */
  delete = (id: string, props: Partial<SessionProperties>): Promise<void> =>
    attemptWithEitherKey(
      this.connection,
      {
        verb: "release",
        resource: resourceName(props),
        sessionId: id,
        limit: limitName(props, "delete"),
        labels: [props.labelsAll],
      },
      async (account) => {
        if (props.released) {
          return;
        }
        const seconds = props.timeouts?.delete;
        const client = limited(account.client, seconds);
        if ((mayBeTakenOver(props) || this.adopted.has(id)) && (await wasTakenOver(client, id, ownTokenOf(props)))) {
          console.error(
            `agb: session ${printable(id)} was taken over by another resource with \`adopt\`; it is not released.`,
          );
          return;
        }
        const wasThere = await releaseAndWait(client, id, this.clock, seconds && seconds * 1_000);
        if (!wasThere) {
          refuseDoubtfulAbsence(account, props);
        }
      },
    );

  /**
   * Releases what is being made now, because the run has ended and nobody will write it into a state, and what earlier
   * tries of finished creates made.
   */
  async abandonCreates(): Promise<void> {
    await this.creates.abandon();
    await this.createRuntime.twins.finish();
  }

  private async adopt(
    target: AdoptTarget,
    inputs: SessionProperties,
    client: Account["client"],
    service: () => string | undefined,
  ): Promise<pulumi.dynamic.CreateResult> {
    try {
      const result = await adoptSession(client, target, inputs, service, this.clock);
      this.adopted.add(result.id);
      return result;
    } catch (error) {
      if (error instanceof UnfinishedError) {
        this.adopted.add(error.id);
      }
      throw error;
    }
  }

  /** @param unlimited client for what must not be cut short: the search for a lost session and its release */
  private async make(
    inputs: SessionProperties,
    client: Account["client"],
    unlimited: Account["client"],
    service: () => string | undefined,
  ): Promise<pulumi.dynamic.CreateResult> {
    const { imageId, labelsAll, idleTimeoutSeconds, policyId } = inputs;
    const request = { imageId, labels: labelsAll, idleTimeoutSeconds, policyId };
    const { sessionId, labels, ...identity } = await this.creates.run(
      () => createOwnedSession(client, request, this.createRuntime, unlimited),
      (made) => releaseSession(unlimited.within(abandonedReleaseMs), made.sessionId),
    );
    return { id: sessionId, outs: outputsOf({ ...inputs, ...identity, service: service() }, inputs.labels, labels) };
  }
}

/**
 * Whether another resource may have taken the session over, as far as the state knows. For other sessions nobody asks AGB:
 * each of them would cost one more call.
 */
function mayBeTakenOver({ adopt, ownToken }: Partial<SessionProperties>): boolean {
  return adopt !== undefined || ownToken !== undefined;
}

/** Pulumi prints the value of the property that a failure names, and it may be secret: so the path goes in the text. */
function checkFailure({ path, reason }: Problem): pulumi.dynamic.CheckFailure {
  return { property: "", reason: `${path}: ${reason}` };
}

function readResult(id: string, outputs: Properties): pulumi.dynamic.ReadResult {
  return { id, props: outputs, inputs: inputsOf(outputs) };
}
