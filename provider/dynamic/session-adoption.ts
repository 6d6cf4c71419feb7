import type * as pulumi from "@pulumi/pulumi";
import type { AgbClient } from "../api/client";
import { AgbApiError, AgbNotFoundError } from "../api/errors";
import { printable } from "../api/outside-text";
import { getSession } from "../api/sessions";
import { type AdoptTarget, findAdoptable } from "../lifecycle/adopt";
import { foreignLabels, withoutLabels } from "../lifecycle/labels";
import { newCreateToken, ownershipKeys } from "../lifecycle/ownership";
import type { Clock } from "../lifecycle/wait";
import { UnfinishedError } from "./failure";
import { tokenOf } from "./own-token";
import { settleLabels } from "./session-labels";
import { outputsOf, resourceName, type SessionProperties } from "./session-properties";
import { unfinishedSession } from "./unfinished-session";

/**
 * Takes over the running session that `adopt` names, instead of making one.
 *
 * @param service where the session runs, see `serviceName`; asked once AGB has answered
 * @throws AgbAdoptError when none or several match, or when it is another resource's
 * @throws UnfinishedError when it is taken over, or may be, but its labels are not for certain as they were set
 */
export async function adoptSession(
  client: AgbClient,
  target: AdoptTarget,
  inputs: SessionProperties,
  service: () => string | undefined,
  clock: Clock,
): Promise<pulumi.dynamic.CreateResult> {
  const { sessionId, labels } = await findAdoptable(client, target, inputs.labelsAll);
  const { appInstanceId, resourceId } = await getSession(client, sessionId);
  // A new token: a former owner sees that the session is no longer its own, and a sweep that it has just become ours.
  const ownToken = newCreateToken(new Date(clock.now()));
  const wanted = { ...inputs.labelsAll, [ownershipKeys.create]: ownToken };
  const known = {
    ...inputs,
    appInstanceId,
    resourceId,
    service: service(),
    ownToken,
    formerToken: tokenOf(labels),
  };
  try {
    await settleLabels(client, sessionId, wanted, known);
  } catch (error) {
    if (error instanceof UnfinishedError || isRefused(error)) {
      throw error;
    }
    // The labels may have been set: outside the state the session would be an orphan that is swept.
    const left = withoutLabels(labels, foreignLabels(labels, wanted, inputs.ignoreLabels ?? []));
    throw unfinishedSession(
      sessionId,
      known,
      left,
      `session ${printable(sessionId)} is taken over by AgbSession "${resourceName(inputs)}", but its labels could not be set ` +
        `for certain: ${error instanceof Error ? error.message : String(error)}. The next \`pulumi up\` tries again.`,
    );
  }
  return { id: sessionId, outs: outputsOf(known, inputs.labels, wanted) };
}

/** Whether AGB itself said that it did not set the labels. */
function isRefused(error: unknown): boolean {
  const refused = error instanceof AgbApiError && error.isFromAgb && error.status < 500 && error.status !== 408;
  return refused && (error.operation === "SetLabel" || error instanceof AgbNotFoundError);
}
