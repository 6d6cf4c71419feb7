import { AgbApiError, AgbNotFoundError } from "../api/errors";
import type { Labels } from "../api/labels";
import { getSession } from "../api/sessions";
import { type AdoptTarget, findAdoptable } from "../lifecycle/adopt";
import { foreignLabels, withoutLabels } from "../lifecycle/labels";
import { newCreateToken, ownershipKeys } from "../lifecycle/ownership";
import type { Clock } from "../lifecycle/wait";
import { describeError } from "./failure";
import { type Call, UnfinishedResource } from "./kind";
import { tokenOf } from "./own-token";
import { applyLabels, declaredLabels, describeSession, type LabelState, sessionState } from "./session-labels";

/**
 * Takes over the running session that `adopt` names, instead of creating one.
 *
 * @param onTakeover called with the session's id once it is taken over, or may be
 * @throws AgbAdoptError when none or several match, or when the session belongs to another resource
 * @throws UnfinishedResource when it is taken over, or may be, but its labels may differ from those that were set
 */
export async function adoptSession<Inputs extends LabelState & { readonly labelsAll: Labels }>(
  { client, resource }: Call,
  target: AdoptTarget,
  inputs: Inputs,
  clock: Clock,
  onTakeover: (sessionId: string) => void,
): Promise<{ readonly id: string; readonly state: Inputs }> {
  const { sessionId, labels } = await findAdoptable(client, target, inputs.labelsAll);
  const { appInstanceId, resourceId } = await getSession(client, sessionId);
  // The new token shows a former owner that the session is no longer its own, and a sweep that it has just become ours.
  const ownToken = newCreateToken(new Date(clock.now()));
  const wanted = { ...inputs.labelsAll, [ownershipKeys.create]: ownToken };
  const known = { ...inputs, appInstanceId, resourceId, ownToken, formerToken: tokenOf(labels) };
  try {
    await applyLabels(client, sessionId, wanted, known, {}, resource);
  } catch (error) {
    if (isRefused(error)) {
      throw error;
    }
    onTakeover(sessionId);
    if (error instanceof UnfinishedResource) {
      throw error;
    }
    // The labels may have been set. If the state did not hold the session, it would be an orphan that a sweep releases.
    const left = withoutLabels(labels, foreignLabels(labels, wanted, inputs.ignoreLabels ?? []));
    throw new UnfinishedResource(
      sessionId,
      sessionState(known, declaredLabels(left, known), left),
      `${describeSession(sessionId, resource)} was taken over, but its labels may not have been set: ` +
        `${describeError(error)}. The next \`pulumi up\` tries again.`,
      "AGB411",
    );
  }
  onTakeover(sessionId);
  return { id: sessionId, state: sessionState(known, inputs.labels, wanted) };
}

/** Whether AGB itself refused to set the labels. */
function isRefused(error: unknown): boolean {
  const refused = error instanceof AgbApiError && error.isFromAgb && error.status < 500 && error.status !== 408;
  return refused && (error.operation === "SetLabel" || error instanceof AgbNotFoundError);
}
