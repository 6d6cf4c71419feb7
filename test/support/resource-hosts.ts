import type { Clock } from "../../provider/lifecycle/wait";
import { FakeClock } from "./fake-clock";
import { openPluginObjects } from "./plugin-objects";
import { openProviderObjects, type ProviderObjects } from "./provider-objects";

/** What may serve the resources of a stack. Tests of promises run with each of them. */
export const hosts = ["dynamic", "plugin"] as const;

export type Host = (typeof hosts)[number];

/** What tells the stack of tests from others of the same name. */
export const testStackId = "0123456789abcdef";

/**
 * Opens what serves the resources of a stack, in this process. It ends with the test.
 *
 * @param environment variables that stand in for the process's
 * @param stackId what tells the stack from others of the same name; only the plugin's host knows it
 */
export function openHost(
  host: Host,
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock = new FakeClock(),
  stackId: string = testStackId,
): ProviderObjects {
  return host === "dynamic" ? openProviderObjects(environment, clock) : openPluginObjects(environment, clock, stackId);
}

/** Outputs of a session that only states of this host have, because programs of the other one pass the stack with the labels. */
export const sessionOutputsOf: Readonly<Record<Host, Readonly<Record<string, unknown>>>> = {
  dynamic: {},
  plugin: { stackId: testStackId },
};
