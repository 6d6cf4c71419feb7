import type * as pulumi from "@pulumi/pulumi";
import type { VariableMappings } from "../config";
import { sharedByCopies } from "./shared-by-copies";

/** What an `AgbProvider` was constructed with. */
export interface ProviderSettings {
  /** Values by key, such as `agb:apiKey`. */
  readonly settings: Readonly<Record<string, pulumi.Input<string> | undefined>>;
  readonly mappings: VariableMappings;
}

/** Remembers the settings of a provider, for look-ups. Pulumi passes them to the provider's process only. */
export function rememberSettings(provider: pulumi.ProviderResource, settings: ProviderSettings): void {
  remembered().set(provider, settings);
}

/** The settings of a provider; `undefined` if it is no `AgbProvider`. */
export function settingsOf(provider: pulumi.ProviderResource): ProviderSettings | undefined {
  return remembered().get(provider);
}

/** Shared by all copies of this package in a program: one of them may have constructed the provider. */
function remembered(): WeakMap<pulumi.ProviderResource, ProviderSettings> {
  return sharedByCopies("provider-settings");
}
