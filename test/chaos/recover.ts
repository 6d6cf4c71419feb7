import { rm, stat } from "node:fs/promises";
import type { Emulator } from "../../provider/emulator";
import type { PulumiProject } from "../support/pulumi-project";
import { sessionIdsOf } from "../support/stack-state";
import { sessionCount, stackName } from "./program";
import type { Tally } from "./report";

/**
 * Cleans up after a kill with one `up` and the sweep, and counts what happened to the sessions.
 *
 * @param others sessions of another stack, which must still run afterwards
 * @returns how long the `up` took, in milliseconds
 */
export async function recover(
  project: PulumiProject,
  emulator: Emulator,
  others: ReadonlySet<string>,
  tally: Tally,
): Promise<number> {
  const ours = () => running(emulator).filter((id) => !others.has(id));
  const before = ours();
  tally.created += before.length;
  tally.torn += await removeTornAttributes(project.checkpointPath);
  // A killed engine leaves its lock behind.
  await project.run("cancel", "--yes");
  const startedAt = performance.now();
  await project.up();
  const upMs = performance.now() - startedAt;
  const known = new Set(Object.values(sessionIdsOf(await project.exportState())));
  const orphans = ours().filter((id) => !known.has(id));
  await sweep(project);
  tally.swept += orphans.length;
  tally.recovered += before.filter((id) => !orphans.includes(id)).length;
  const after = new Set(running(emulator));
  const isRestored = known.size === sessionCount && [...known].every((id) => id !== undefined && after.has(id));
  const leftOver = ours().filter((id) => !known.has(id));
  const harmed = [...others].filter((id) => !after.has(id));
  tally.lost += leftOver.length + harmed.length + (isRestored ? 0 : 1);
  return upMs;
}

async function sweep(project: PulumiProject): Promise<void> {
  const parameters = ["sweep", "--yes", "--older-than", "0s", "--stack", stackName];
  const { exitCode, stdout, stderr } = await (await project.startJob(parameters)).result;
  if (exitCode !== 0) {
    console.error(`the sweep failed with exit code ${exitCode}\n${stdout}\n${stderr}`);
  }
}

/**
 * Removes empty attribute files. Pulumi's file backend writes a small file of attributes beside each state, but not
 * atomically. A kill can leave it empty, and then no command can load the state ("failed to load checkpoint: EOF").
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
