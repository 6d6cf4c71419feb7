import * as pulumi from "@pulumi/pulumi";
import { settingNames, type VariableMappings } from "../config";
import { typeTokens } from "../type-tokens";
import { isConfigSecret } from "./constructor-checks";
import { programError } from "./program-error";
import { settingsOf } from "./provider-settings";

/** The settings of the account that a look-up asks. */
export interface LookUpAccount {
  /** Configured values by key, such as `agb:apiKey`. */
  readonly config: Readonly<Record<string, string | undefined>>;
  /** Environment variables that the provider sees under another name. */
  readonly mappings: VariableMappings;
  /** Whether the default labels are secret, and so may be the labels of a session. */
  readonly hasSecretLabels: boolean;
}

const keys = Object.values(settingNames).map(({ key }) => key);
const labelsKey = settingNames.defaultLabels.key;

/**
 * Returns the explicit provider of a look-up, chosen as Pulumi chooses it for its own functions.
 *
 * @throws RunError when it is no `AgbProvider`: another account would be asked without notice
 */
export function providerOf(
  functionName: string,
  { provider, parent }: pulumi.InvokeOptions,
): pulumi.ProviderResource | undefined {
  const chosen = provider ?? parent?.getProvider(typeTokens.session.dynamic);
  if (chosen !== undefined && settingsOf(chosen) === undefined) {
    const message = `${functionName}: the option provider is not an AgbProvider. Pass an AgbProvider, or remove the option.`;
    throw programError(message, "AGB962");
  }
  return chosen;
}

/**
 * Returns the settings with which the provider itself would work: those of an explicit `AgbProvider`, or the stack's. Unknown
 * while one of them is. The output is not secret, although the key is: what AGB answers does not hold it.
 */
export function accountOf(provider: pulumi.ProviderResource | undefined): pulumi.Output<LookUpAccount> {
  const explicit = provider && settingsOf(provider);
  if (explicit === undefined) {
    const config = Object.fromEntries(keys.map((key) => [key, pulumi.runtime.getConfig(key)]));
    const hasSecretLabels = config[labelsKey] !== undefined && isConfigSecret(labelsKey);
    return pulumi.output<LookUpAccount>({ config, mappings: {}, hasSecretLabels });
  }
  const { settings, mappings } = explicit;
  const config = pulumi.unsecret(pulumi.output({ ...settings }));
  const hasSecretLabels = pulumi.isSecret(pulumi.output(settings[labelsKey]));
  return pulumi
    .all([config, hasSecretLabels])
    .apply(([known, isSecret]) => ({ config: known, mappings, hasSecretLabels: isSecret }));
}
