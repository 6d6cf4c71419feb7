// A preview job on a real emulator, with a fake engine and a fake forge, and sessions that earlier runs left there.

import type { Emulator } from "../../provider/emulator";
import { newCreateToken, ownerLabels } from "../../provider/lifecycle/ownership";
import type { SweepOptions } from "../../provider/previews/sweep";
import { openClient } from "./agb-client";
import { startTestEmulator, testKey } from "./agb-emulator";
import { createId } from "./emulator-requests";
import { openFakeJob, stackIdOf } from "./fake-preview-job";

export const upOptions = {
  request: 1,
  commit: "9f3c2e1",
  secretsProvider: undefined,
  lockWaitMs: 0,
  healthTimeoutMs: 0,
};
export const downOptions = { request: 1, lockWaitMs: 0 };
export const recoverOptions = { request: 1, force: true };
export const sweepOptions: SweepOptions = { idleDays: undefined, minimumAgeMs: 600_000, execute: true, lockWaitMs: 0 };

/** Id of the repository that the jobs work for. */
export const ours = "github.com/repositories/81";
/** Id of another repository with the same AGB account. */
export const theirs = "github.com/repositories/99";

/** A job on an emulator, and a way to create sessions there that are so many minutes old. */
export async function openJob(pulumi: Parameters<typeof openFakeJob>[0] = {}, repository?: string) {
  const emulator = await startTestEmulator();
  const fake = openFakeJob(pulumi, { client: openClient(emulator.url), repository });
  return { ...fake, ...sessionsIn(emulator, fake.clock.now()) };
}

/** Creates and lists sessions of an emulator, with the labels that earlier runs gave them. */
export function sessionsIn(emulator: Emulator, nowMs: number) {
  return {
    emulator,
    make: (
      stack: string,
      minutesOld = 60,
      project = "shop",
      repository?: string,
      stackId: string | undefined = stackIdOf(project, stack),
    ) =>
      createId(
        emulator.url,
        {
          ...ownerLabels({ project, stack, resource: "web", repository }),
          ...(stackId !== "" && { "pulumi-stack-id": stackId }),
          "pulumi-create": newCreateToken(new Date(nowMs - minutesOld * 60_000)),
        },
        {},
        testKey,
      ),
    running: () => new Set(emulator.sessions().map(({ sessionId }) => sessionId)),
  };
}
