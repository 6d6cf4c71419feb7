import type { AgbClient } from "../api/client";
import { getLabels, type Labels } from "../api/labels";
import { unlessGone } from "../api/unless-gone";
import type { StateSession } from "../pulumi/stack-state";

/**
 * Asks AGB for the labels of sessions for which the state keeps all labels secret.
 *
 * @returns the labels of the sessions that are still running
 * @throws AgbError when they cannot be read
 */
export async function readSecretLabels(
  client: AgbClient,
  sessions: readonly Pick<StateSession, "sessionId">[],
): Promise<Labels[]> {
  const found: Labels[] = [];
  for (const { sessionId } of sessions) {
    const labels = await unlessGone(getLabels(client, sessionId));
    if (labels !== undefined) {
      found.push(labels);
    }
  }
  return found;
}
