import { AgbClient } from "../api/client";
import { getLabels, type Labels } from "../api/labels";
// biome-ignore lint/style/noRestrictedImports: a job without a client needs one only for a stack with secret labels
import { readSettings } from "../config";
import { unlessGone } from "../lifecycle/unless-gone";
import type { StateSession } from "../pulumi/stack-state";

/** A session for which the state keeps all labels secret. */
type SecretSession = Pick<StateSession, "sessionId">;

/**
 * Asks AGB for the labels of sessions for which the state keeps all labels secret.
 *
 * @param client default: one with the settings of the environment, for jobs that otherwise need none
 * @returns the labels of the sessions that are still running
 * @throws AgbConfigurationError or AgbError when they cannot be read
 */
export async function readSecretLabels(
  sessions: readonly SecretSession[],
  client: AgbClient | undefined,
): Promise<Labels[]> {
  if (client !== undefined) {
    return readAll(sessions, client);
  }
  const { baseUrl, proxy, apiKey, timeoutMs } = readSettings(() => undefined);
  const own = new AgbClient({ baseUrl, proxy, timeoutMs, apiKey: apiKey.value });
  try {
    return await readAll(sessions, own);
  } finally {
    await own.close();
  }
}

async function readAll(sessions: readonly SecretSession[], client: AgbClient): Promise<Labels[]> {
  const found: Labels[] = [];
  for (const { sessionId } of sessions) {
    const labels = await unlessGone(getLabels(client, sessionId));
    if (labels !== undefined) {
      found.push(labels);
    }
  }
  return found;
}
