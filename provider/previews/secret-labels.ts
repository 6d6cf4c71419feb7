import { AgbClient } from "../api/client";
import { getLabels, type Labels } from "../api/labels";
// biome-ignore lint/style/noRestrictedImports: only a stack with secret labels needs a client where a job has none
import { readSettings } from "../config";
import { unlessGone } from "../lifecycle/unless-gone";
import type { StateSession } from "../pulumi/stack-state";

/** A session whose labels the state keeps secret as a whole. */
type SecretSession = Pick<StateSession, "sessionId">;

/**
 * Asks AGB for the labels of sessions whose labels the state keeps secret as a whole.
 *
 * @param client default: one with the settings of the environment, for jobs that otherwise need none
 * @returns the labels of the sessions that run; one that is gone has none
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
