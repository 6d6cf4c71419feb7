import { type Settings, settingNames } from "../config";
import type { Account } from "./connection";

/**
 * Added to a failed refresh or delete that a setting may have caused. All other operations follow a run of the program and
 * use the current settings.
 */
export const storedSettingsAdvice =
  "If you have already changed these settings, run `pulumi refresh --run-program`: a refresh and a destroy use those that " +
  "the last `pulumi up` saved in the state.";

/** Where the refused key came from and how to change it. */
export function keyAdvice({ settings, apiKey }: Account): string {
  const { key, variable } = settingNames.apiKey;
  const change =
    apiKey.source === variable
      ? `To change it, set ${variable} in the environment.`
      : `To change it, run \`pulumi config set --secret ${key}\`, or set it in the program's provider.`;
  const first = apiKey === settings.apiKey ? "" : ` AGB also refused the one from ${settings.apiKey.source}.`;
  return `Check that the API key from ${apiKey.source} is valid for ${settings.baseUrl} and may do this. ${change}${first}`;
}

/** Where the endpoint came from and how to change it. */
export function endpointAdvice({ baseUrl, endpointSource }: Settings): string {
  const { key, variable } = settingNames.endpoint;
  if (endpointSource === undefined) {
    return `The endpoint is ${baseUrl}, the default. To use another one, set ${key} or ${variable}.`;
  }
  const change =
    endpointSource === variable
      ? `To change it, set ${variable} in the environment, or remove the variable to use AGB's default.`
      : `To change it, run \`pulumi config set ${key} HOST\`, or set it in the program's provider.`;
  return `The endpoint is ${baseUrl}, from ${endpointSource}. ${change}`;
}

/** Where the limit of a call came from. */
export function timeoutAdvice(settings: Settings | undefined, operationLimit: string | undefined): string {
  const { key, variable } = settingNames.timeoutMs;
  const source =
    settings?.timeoutSource === undefined ? "" : ` (the limit of each call comes from ${settings.timeoutSource})`;
  const ofCalls = `${key} or ${variable}${source}`;
  return `To allow more time, set ${operationLimit === undefined ? ofCalls : `${operationLimit}, or ${ofCalls}`}.`;
}
