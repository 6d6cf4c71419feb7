// The command `sweep` in a folder of its own, for the stack shop/dev.

import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { newCreateToken } from "../../provider/lifecycle/ownership";
import { startTestEmulator, testKey } from "./agb-emulator";
import { runBounded } from "./bounded-process";
import { createId } from "./emulator-requests";
import { makeTemporaryFolder, repositoryRoot } from "./node-process";

/** The package's command. */
export const command = join(repositoryRoot, "dist", "cli", "main.js");
const stackRow = { urn: "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", type: "pulumi:pulumi:Stack" };
const sessionType = "pulumi-nodejs:dynamic/agb:AgbSession";
const identityType = "pulumi-nodejs:dynamic/agb:AgbStackIdentity";
/** Id of the stack shop/dev. */
export const stackId = "0123456789abcdef";
/** Id of a stack of the same name in another backend. */
export const otherStackId = "fedcba9876543210";

/** Labels of a session of shop/dev that was created so many minutes ago. */
export function ownLabels(minutesOld: number, more: Record<string, string> = {}): Record<string, string> {
  return {
    "pulumi-project": "shop",
    "pulumi-stack": "dev",
    "pulumi-stack-id": stackId,
    "pulumi-resource": "web",
    "pulumi-create": newCreateToken(new Date(Date.now() - minutesOld * 60_000)),
    ...more,
  };
}

/** The labels without the stack's id, as an earlier version set them. */
export function withoutStackId({ "pulumi-stack-id": _, ...labels }: Record<string, string>): Record<string, string> {
  return labels;
}

/** A session in a state. */
function row(id: string, more: Record<string, unknown> = {}) {
  return { urn: `urn:pulumi:dev::shop::${sessionType}::${id}`, type: sessionType, id, ...more };
}

/** A session in a state, with its labels and where it was created. */
export function stateRow(
  id: string,
  labelsAll: Record<string, string>,
  service: string,
  more: Record<string, unknown> = {},
) {
  return row(id, { outputs: { labelsAll, service }, ...more });
}

/** A context in a state, with where it was created. */
export function contextRow(id: string, service: string) {
  const type = "pulumi-nodejs:dynamic/agb:AgbContext";
  return { urn: `urn:pulumi:dev::shop::${type}::${id}`, type, id, outputs: { contextId: id, name: "files", service } };
}

/** An exported state with these resources, and with the stack's id if it has one. */
export function stateWith(resources: readonly object[], id: string | undefined = stackId, stack = stackRow): string {
  const identity = { urn: `urn:pulumi:dev::shop::${identityType}::agb`, type: identityType, id };
  return JSON.stringify({
    version: 3,
    deployment: { resources: [stack, ...(id === undefined ? [] : [identity]), ...resources] },
  });
}

/** An exported state that knows these sessions. */
export function exportOf(sessionIds: readonly string[], stack = stackRow): string {
  return stateWith(
    sessionIds.map((id) => row(id)),
    stackId,
    stack,
  );
}

/** A folder with a state file, and the command run in it against an AGB. */
export async function openSweep(url: string, stateText = exportOf([])) {
  const folder = await makeTemporaryFolder();
  const state = join(folder, "state.json");
  await writeFile(state, stateText);
  const run = (parameters: readonly string[], path = dirname(process.execPath)) =>
    runBounded(process.execPath, [command, "sweep", ...parameters], {
      directory: folder,
      environment: { PATH: path, AGB_API_KEY: testKey, AGB_ENDPOINT: url },
      timeoutMs: 60_000,
    });
  return { folder, state, run, sweep: (...parameters: string[]) => run(["--state", state, ...parameters]) };
}

/** An emulator, and ways to create sessions there and to list those that run. */
export async function openEmulator(options = {}) {
  const emulator = await startTestEmulator(options);
  const make = (labels: Record<string, string>) => createId(emulator.url, labels, {}, testKey);
  const running = () => emulator.sessions().map(({ sessionId }) => sessionId);
  return { emulator, make, running };
}
