import { type Settings, settingNames } from "../config";
import type { Account } from "./connection";

/**
 * Added to a failed refresh or delete that a setting may have caused. All other operations follow a run of the program and
 * use the present settings.
 */
export const storedSettingsAdvice =
  "Pulumi refreshes and destroys with the settings of the last `pulumi up`, kept in the state. If you have changed them " +
  "since, run `pulumi refresh --run-program` first: it saves the current ones in the state.";

/** Where the refused key came from and how to change it. */
export function keyAdvice({ settings, apiKey }: Account): string {
  const { key, variable } = settingNames.apiKey;
  const change =
    apiKey.source === variable
      ? `Change it in the environment (${variable}).`
      : `Change it with \`pulumi config set --secret ${key}\`, or in the program's AgbProvider.`;
  const first = apiKey === settings.apiKey ? "" : ` AGB refused the one from ${settings.apiKey.source} too.`;
  return `The key came from ${apiKey.source}; check that it is valid for ${settings.baseUrl}. ${change}${first}`;
}

/** Where the endpoint came from and how to change it. */
export function endpointAdvice({ baseUrl, endpointSource }: Settings): string {
  const { key, variable } = settingNames.endpoint;
  if (endpointSource === undefined) {
    return `The endpoint is ${baseUrl}, the default; set another one with ${key} or ${variable}.`;
  }
  const change =
    endpointSource === variable
      ? `change it in the environment, or remove it there to use AGB's own`
      : `change it with \`pulumi config set ${key} HOST\`, or in the program's AgbProvider`;
  return `The endpoint is ${baseUrl}, from ${endpointSource}; ${change}.`;
}

/** Where the limit of a call came from. */
export function timeoutAdvice(settings: Settings | undefined, operationLimit: string | undefined): string {
  const { key, variable } = settingNames.timeoutMs;
  const source = settings?.timeoutSource === undefined ? "" : `, which is set by ${settings.timeoutSource}`;
  const ofCalls = `${key} or ${variable}${source}`;
  return `Set a longer limit with ${operationLimit === undefined ? ofCalls : `${operationLimit}, or ${ofCalls}`}.`;
}
