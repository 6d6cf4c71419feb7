import * as pulumi from "@pulumi/pulumi";
import { configNamespace, isVariableSet, settingNames } from "../config";
import { withCode } from "../message-codes";
import { nearestName } from "../nearest-name";
import { warnOfUnknownSettings } from "./unknown-settings";

/** Settings of an `AgbProvider`. Each default is the stack's configuration, then the environment. */
export interface AgbProviderArgs {
  /** API key of the account. Always stored as a secret. Default: `agb:apiKey`, then `AGB_API_KEY`. */
  readonly apiKey?: pulumi.Input<string>;
  /**
   * Host, host:port (both mean HTTPS) or URL of AGB. Default: `agb:endpoint`, then `AGB_ENDPOINT`, then
   * `sdk-api.agb.cloud`.
   */
  readonly endpoint?: pulumi.Input<string>;
  /** Limit of a call with its retries, in milliseconds. Default: `agb:timeoutMs`, then `AGB_TIMEOUT_MS`, then 60000. */
  readonly timeoutMs?: pulumi.Input<number>;
  /** Labels of each session of this provider. A session's own labels win. Default: `agb:defaultLabels`. */
  readonly defaultLabels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Labels that are left to other tools: keys, or prefixes that end in `*`. Default: `agb:ignoreLabels`. */
  readonly ignoreLabels?: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * An AGB account, for programs that use several accounts or configure theirs in code. Pass it to resources as `provider` and
 * to components as `providers`. A changed setting replaces no resource.
 *
 * To keep a key out of the state, put it into an environment variable and map that: with
 * `{ envVarMappings: { AGB_EU_KEY: "AGB_API_KEY" } }` this provider reads its key from `AGB_EU_KEY`.
 *
 * @example
 * const europe = new AgbProvider("europe", { apiKey: config.requireSecret("europeKey"), endpoint: "eu.example.com" });
 * new AgbSession("web", { imageId: "agb-code-space-1" }, { provider: europe });
 *
 * @throws Error when an argument is unknown, when `apiKey` is an empty string, or when the variable that is mapped to the key
 *   is not set: the key of another account would be used instead
 */
export class AgbProvider extends pulumi.ProviderResource {
  constructor(name: string, args: AgbProviderArgs = {}, opts: pulumi.ResourceOptions = {}) {
    refuseUnknownArguments(name, args);
    warnOfUnknownSettings();
    const config = new pulumi.Config(configNamespace);
    const mappings = (opts as EnvironmentMappings).envVarMappings ?? {};
    const mapped = Object.values(mappings);
    // A mapped variable is an explicit setting too, so the stack's must not win over it.
    const stack = <Value>({ variable }: { variable: string | undefined }, read: () => Value) =>
      variable !== undefined && mapped.includes(variable) ? undefined : read();

    if (args.apiKey === "") {
      const message = `AgbProvider "${name}": apiKey is empty. Leave it out to use the stack's key or the environment's.`;
      throw new Error(withCode(message, "AGB211"));
    }
    const { apiKey, endpoint, timeoutMs, defaultLabels, ignoreLabels } = settingNames;
    const keyVariable = Object.keys(mappings).find((variable) => mappings[variable] === apiKey.variable);
    if (args.apiKey === undefined && keyVariable !== undefined && !isVariableSet(keyVariable)) {
      const message =
        `AgbProvider "${name}": envVarMappings takes the key from ${keyVariable}, which is not set. Set it: without it, ` +
        `${apiKey.variable} of another account would be used.`;
      throw new Error(withCode(message, "AGB212"));
    }
    super(
      "pulumi-nodejs",
      name,
      {
        [apiKey.key]: args.apiKey ? pulumi.secret(args.apiKey) : stack(apiKey, () => config.getSecret("apiKey")),
        [endpoint.key]: args.endpoint ?? stack(endpoint, () => config.get("endpoint")),
        [timeoutMs.key]:
          args.timeoutMs !== undefined
            ? pulumi.output(args.timeoutMs).apply(String)
            : stack(timeoutMs, () => config.get("timeoutMs")),
        [defaultLabels.key]: args.defaultLabels
          ? pulumi.jsonStringify(args.defaultLabels)
          : config.get("defaultLabels"),
        [ignoreLabels.key]: args.ignoreLabels ? pulumi.jsonStringify(args.ignoreLabels) : config.get("ignoreLabels"),
      },
      opts,
    );
  }
}

const argumentNames = [
  "apiKey",
  "endpoint",
  "timeoutMs",
  "defaultLabels",
  "ignoreLabels",
] satisfies (keyof AgbProviderArgs)[];

/** With a misspelt endpoint or key, one of the stack or the environment would be used instead. */
function refuseUnknownArguments(name: string, args: AgbProviderArgs): void {
  const unknown = Object.keys(args).find((key) => !(argumentNames as string[]).includes(key));
  if (unknown !== undefined) {
    const meant = nearestName(unknown, argumentNames);
    const advice = meant === undefined ? `it has ${argumentNames.join(", ")}` : `did you mean ${meant}?`;
    const message = `AgbProvider "${name}": unknown argument ${JSON.stringify(unknown)}; ${advice}`;
    throw new Error(withCode(message, "AGB118"));
  }
}

interface EnvironmentMappings {
  readonly envVarMappings?: Readonly<Record<string, string>>;
}
