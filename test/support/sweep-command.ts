// The command `sweep` in a folder of its own, for the stack shop/dev.

import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { newCreateToken } from "../../provider/lifecycle/ownership";
import { systemClock } from "../../provider/lifecycle/wait";
import { sweepStack } from "../../provider/sweep/sweep-stack";
import { typeTokens } from "../../provider/type-tokens";
import { openClient } from "./agb-client";
import { startTestEmulator, testKey } from "./agb-emulator";
import { runBounded } from "./bounded-process";
import { createId } from "./emulator-requests";
import { makeTemporaryFolder, repositoryRoot } from "./node-process";
import type { Host } from "./resource-hosts";

/** Sweeps a stack of which no state is known, but its ids, and releases what it may, however new it is. */
export function sweepById(
  url: string,
  owner: Pick<Parameters<typeof sweepStack>[1], "name" | "stackIds" | "repository">,
) {
  const options = {
    ...owner,
    state: undefined,
    baseUrl: url,
    includesUnidentified: false,
    minimumAgeMs: 0,
    release: true,
  };
  return sweepStack(openClient(url), options, systemClock);
}

/** The package's command. */
export const command = join(repositoryRoot, "dist", "cli", "main.js");
const stackRow = { urn: "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", type: "pulumi:pulumi:Stack" };
/** Id of the stack shop/dev with dynamic resources. */
export const stackId = "0123456789abcdef";
/** Id of a stack of the same name in another backend. */
export const otherStackId = "fedcba9876543210";

/** The stack shop/dev as the host of its resources writes it: labels of its sessions, and its exported state. */
export function stackOf(host: Host) {
  const id = host === "dynamic" ? stackId : "edddcd4e-1bb4-44ff-a14f-e7352353b7d8";
  const resource = (type: string, name: string, more: object = {}) => ({
    urn: `urn:pulumi:dev::shop::${type}::${name}`,
    type,
    ...more,
  });
  const identity = (ofStack: string) =>
    host === "dynamic"
      ? resource(typeTokens.stackIdentity.dynamic, "agb", { id: ofStack })
      : resource(typeTokens.provider.plugin, "default_0_1_0", { id: ofStack, inputs: { version: "0.1.0" } });

  /** A session in a state. */
  function row(sessionId: string, more: Record<string, unknown> = {}) {
    return resource(typeTokens.session[host], sessionId, { id: sessionId, ...more });
  }

  /** An exported state with these resources, and with the stack's id if it has one. */
  function stateWith(resources: readonly object[], ofStack: string | undefined = id, stack = stackRow): string {
    const all = [stack, ...(ofStack === undefined ? [] : [identity(ofStack)]), ...resources];
    return JSON.stringify({ version: 3, deployment: { resources: all } });
  }

  return {
    id,
    stateWith,
    /** Labels of a session of shop/dev that was created so many minutes ago. */
    ownLabels: (minutesOld: number, more: Record<string, string> = {}): Record<string, string> => ({
      "pulumi-project": "shop",
      "pulumi-stack": "dev",
      "pulumi-stack-id": id,
      "pulumi-resource": "web",
      "pulumi-create": newCreateToken(new Date(Date.now() - minutesOld * 60_000)),
      ...more,
    }),
    /** A session in a state, with its labels and where it was created. */
    stateRow: (
      sessionId: string,
      labelsAll: Record<string, string>,
      service: string,
      more: Record<string, unknown> = {},
    ) => row(sessionId, { outputs: { labelsAll, service }, ...more }),
    /** A context in a state, with where it was created. */
    contextRow: (contextId: string, service: string) =>
      resource(typeTokens.context[host], contextId, {
        id: contextId,
        outputs: { contextId, name: "files", service },
      }),
    /** An exported state that knows these sessions. */
    exportOf: (sessionIds: readonly string[], stack = stackRow): string =>
      stateWith(
        sessionIds.map((sessionId) => row(sessionId)),
        id,
        stack,
      ),
  };
}

export const { ownLabels, stateRow, contextRow, stateWith, exportOf } = stackOf("dynamic");

/** The labels without the stack's id, as an earlier version set them. */
export function withoutStackId({ "pulumi-stack-id": _, ...labels }: Record<string, string>): Record<string, string> {
  return labels;
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
