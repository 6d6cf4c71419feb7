/**
 * Serves resource kinds to Pulumi's dynamic-provider process. Knows nothing of AGB: it is given the kinds, a function that
 * takes over the settings and one that is called when the run ends. May import `kinds/hosted-kind` and nothing else.
 */
import type { HostedKind } from "../../kinds/hosted-kind";
import { endWithRun } from "../end-of-run";
import { showFailuresOnce } from "./failures-once";
import { type DynamicHostOptions, type DynamicProvider, dynamicProvider } from "./resource-provider";

/** What a process serves, and what it does at its end. */
export interface DynamicHost<Name extends string> extends DynamicHostOptions {
  readonly kinds: Readonly<Record<Name, HostedKind>>;
  /** Called when the run ends early. The process ends when it is done, or after `endLimitMs`. */
  onEnd(): Promise<void>;
  /** Longest time that the process outlives its run, in milliseconds. */
  readonly endLimitMs: number;
}

/** Makes the objects that Pulumi's process calls, one for each kind, and ends the process with its run. */
export function serveDynamically<Name extends string>(host: DynamicHost<Name>): Record<Name, DynamicProvider> {
  const providers = Object.fromEntries(
    Object.entries<HostedKind>(host.kinds).map(([name, kind]) => [name, dynamicProvider(kind, host)]),
  ) as Record<Name, DynamicProvider>;
  showFailuresOnce(Object.values(providers));
  endWithRun(() => host.onEnd(), host.endLimitMs);
  return providers;
}
