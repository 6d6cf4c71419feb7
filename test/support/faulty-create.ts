import type { SessionRequest } from "../../provider/api/sessions";
import type { Emulator, EmulatorOptions, FaultRule } from "../../provider/emulator";
import { createExactlyOnce } from "../../provider/lifecycle/create-once";
import { newCreateToken } from "../../provider/lifecycle/ownership";
import { openClient } from "./agb-client";
import { startTestEmulator } from "./agb-emulator";
import { openTestRuntime } from "./create-runtime";
import { FakeClock } from "./fake-clock";

/** Create label of `createRequest`. */
export const createToken = newCreateToken(new Date("2026-11-22T16:47:26Z"));

/** A request with a create label. */
export const createRequest: SessionRequest = {
  imageId: "agb-code-space-1",
  labels: { team: "web", "pulumi-create": createToken },
};

/** Searches advance the clock by minutes. Without these limits the emulator would release idle sessions meanwhile. */
export const longLives = { defaultIdleTimeoutSeconds: 1_000_000, maximumLifetimeSeconds: 1_000_000 };

/**
 * Creates one session at an emulator with faults. Both use the same fake clock.
 *
 * @param timeoutMs time limit of each call
 */
export async function createWithFaults(faults: FaultRule[], options: EmulatorOptions = {}, timeoutMs = 10_000) {
  const clock = new FakeClock();
  const emulator = await startTestEmulator({ clock, faults, ...longLives, ...options });
  const client = openClient(emulator.url, { timeoutMs });
  const outcome = await outcomeOf(createExactlyOnce(client, createRequest, openTestRuntime(clock)));
  return { ...outcome, clock, elapsedMs: clock.elapsedMs(), emulator, counts: emulator.requestCounts() };
}

/** Waits for a create and returns its session or its error. */
export function outcomeOf<Session>(create: Promise<Session>) {
  return create.then(
    (session) => ({ session, error: undefined }),
    (error: Error) => ({ session: undefined, error }),
  );
}

/** Returns the ids of all sessions in the emulator. */
export function sessionIdsIn(emulator: Emulator): string[] {
  return emulator.sessions().map(({ sessionId }) => sessionId);
}
