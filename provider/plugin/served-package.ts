/**
 * What the plugin `pulumi-resource-agb` serves: all kinds and functions of AGB, by their tokens. Imports `kinds`, `config` and the
 * names of the host.
 */
import { AgbConfigurationError, configNamespace, readSettings, settingNames } from "../config";
import type { PluginProcess, ServedPackage } from "../hosts/plugin";
import { Connection, type ReadConfig } from "../kinds/connection";
import { FunctionCalls, type FunctionName, lookUps } from "../kinds/functions/function-calls";
import type { FunctionProperties } from "../kinds/functions/look-up";
import type { HostedFunction, NativeKind, Problem } from "../kinds/hosted-kind";
import { openProvider, type ProviderOptions } from "../kinds/provider";
import { functionToken, type ServedKindName, settingName, tokenOfKind } from "./tokens";

/** What the build puts into the plugin. */
export interface PluginBuild {
  readonly version: string;
  /** The schema of the package, as JSON. */
  readonly schema: string;
}

/** Opens everything that the plugin serves. */
export function openServedPackage(
  build: PluginBuild,
  options: Omit<ProviderOptions, "connection">,
): ReturnType<PluginProcess["open"]> & { close(): Promise<void> } {
  const connection = new Connection(options);
  const { kinds, abandonCreates } = openProvider({ ...options, connection, names: tokenOfKind });
  const functions = new FunctionCalls(connection, functionToken);
  const served: ServedPackage = {
    ...build,
    kinds: Object.fromEntries(
      (Object.keys(tokenOfKind) as ServedKindName[]).map((name): [string, NativeKind] => [
        tokenOfKind[name],
        kinds[name],
      ]),
    ),
    functions: Object.fromEntries(
      (Object.keys(lookUps) as FunctionName[]).map((name) => [functionToken(name), hostedFunction(functions, name)]),
    ),
    settings: Object.fromEntries(
      Object.values(settingNames).map((setting) => [settingName(setting.key), { isSecret: "isSecret" in setting }]),
    ),
    settingsInResults: [settingNames.defaultLabels, settingNames.repository].map(({ key }) => settingName(key)),
    checkSettings: (read) => settingProblems(configOf(read), options.environment),
    configure: (read) => connection.configure(configOf(read)),
  };
  return { ...served, onEnd: abandonCreates, close: () => connection.close() };
}

function hostedFunction(functions: FunctionCalls, name: FunctionName): HostedFunction {
  const outputs: FunctionProperties = lookUps[name].outputs;
  return {
    secretOutputs: Object.keys(outputs).filter((output) => outputs[output]?.isSecret),
    call: (inputs) => functions.call(name, inputs),
  };
}

/** Settings have a namespace in the configuration of a stack, and so in messages. */
function configOf(read: (name: string) => string | undefined): ReadConfig {
  return (key) => (key.startsWith(`${configNamespace}:`) ? read(settingName(key)) : undefined);
}

function settingProblems(config: ReadConfig, environment: ProviderOptions["environment"]): Problem[] {
  const { key, variable } = settingNames.apiKey;
  if (config(key) === "") {
    const reason = `${key} is empty. Leave it out to use the key from ${variable}.`;
    return [{ path: "", reason, code: "AGB211" }];
  }
  try {
    readSettings(config, environment);
    return [];
  } catch (error) {
    if (error instanceof AgbConfigurationError) {
      return error.problems.map((problem) => ({ path: "", ...problem }));
    }
    throw error;
  }
}
