import { rm, stat } from "node:fs/promises";
import type { AgbClient } from "../../provider/api/client";
import type { Emulator } from "../../provider/emulator";
import { releaseAndWait } from "../../provider/lifecycle/session";
import { findOwnedSessions } from "../../provider/lifecycle/sweep";
import { systemClock } from "../../provider/lifecycle/wait";
import type { PulumiProject } from "../support/pulumi-project";
import { sessionsOf } from "../support/stack-state";
import { projectName, sessionCount, stackName } from "./program";
import type { Tally } from "./report";

/**
 * Lets one `up` and the sweep clean up after a kill, and counts what became of the sessions.
 *
 * @returns how long the `up` took, in milliseconds
 */
export async function recover(
  project: PulumiProject,
  emulator: Emulator,
  client: AgbClient,
  tally: Tally,
): Promise<number> {
  const before = new Set(running(emulator));
  tally.made += before.size;
  tally.torn += await removeTornAttributes(project.checkpointPath);
  // A killed engine leaves its lock behind.
  await project.run("cancel", "--yes");
  const startedAt = performance.now();
  await project.up();
  const upMs = performance.now() - startedAt;
  const known = new Set(Object.values(sessionsOf(await project.exportState())).map(({ id }) => id ?? ""));
  const orphans = await findOwnedSessions(client, { project: projectName, stack: stackName }, known);
  for (const { sessionId } of orphans) {
    await releaseAndWait(client, sessionId, systemClock);
  }
  tally.swept += orphans.length;
  tally.recovered += [...before].filter((id) => !orphans.some(({ sessionId }) => sessionId === id)).length;
  const after = new Set(running(emulator));
  const isRestored = known.size === sessionCount && [...known].every((id) => after.has(id));
  tally.lost += [...after].filter((id) => !known.has(id)).length + (isRestored ? 0 : 1);
  return upMs;
}

/**
 * Pulumi's backend in files writes a small file of attributes beside each state, not atomically: a kill in the middle
 * leaves it empty, and no command can load the state then ("failed to load checkpoint: EOF"). Without the file it can.
 */
async function removeTornAttributes(checkpointPath: string): Promise<number> {
  let torn = 0;
  for (const path of [`${checkpointPath}.attrs`, `${checkpointPath}.bak.attrs`]) {
    if ((await stat(path).catch(() => undefined))?.size === 0) {
      await rm(path);
      torn += 1;
    }
  }
  return torn;
}

function running(emulator: Emulator): string[] {
  return emulator.sessions().flatMap(({ sessionId, state }) => (state === "RUNNING" ? [sessionId] : []));
}
