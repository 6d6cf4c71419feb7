import * as pulumi from "@pulumi/pulumi";
import { configNamespace, isVariableSet, settingNames, type VariableMappings } from "../config";
import { nearestName } from "../nearest-name";
import { programError } from "./program-error";
import { rememberSettings } from "./provider-settings";
import { warnOfUnknownSettings } from "./unknown-settings";

/** Settings of an `AgbProvider`. */
export interface AgbProviderArgs {
  /**
   * API key of the account. It is always stored as a secret.
   *
   * @default `agb:apiKey`, then `AGB_API_KEY`
   */
  readonly apiKey?: pulumi.Input<string>;
  /**
   * Address of AGB: a host or host:port, which both mean HTTPS, or a URL.
   *
   * @default `agb:endpoint`, then `AGB_ENDPOINT`, then `sdk-api.agb.cloud`
   */
  readonly endpoint?: pulumi.Input<string>;
  /**
   * Limit of a call to AGB with its retries, in milliseconds.
   *
   * @default `agb:timeoutMs`, then `AGB_TIMEOUT_MS`, then 60000
   */
  readonly timeoutMs?: pulumi.Input<number>;
  /**
   * Labels for every session. A session's own labels win.
   *
   * @default `agb:defaultLabels`
   */
  readonly defaultLabels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Labels to leave to other tools, added to each session's own `ignoreLabels`: keys, or prefixes that end in `*`.
   *
   * @default `agb:ignoreLabels`
   */
  readonly ignoreLabels?: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * An AGB account, for programs that use several accounts or take the settings in code. Pass it to resources as `provider` and
 * to components as `providers`. Its arguments win over the stack's configuration, which wins over the environment. A change
 * of any argument replaces no resource.
 *
 * To keep a key out of the state, set it in an environment variable and map that. With the option
 * `envVarMappings: { AGB_EU_KEY: "AGB_API_KEY" }` this provider takes its key from `AGB_EU_KEY`.
 *
 * @example
 * import * as pulumi from "@pulumi/pulumi";
 * import { AgbProvider, AgbSession } from "pulumi-agb";
 *
 * const config = new pulumi.Config();
 * const europe = new AgbProvider("europe", { apiKey: config.requireSecret("europeKey") });
 *
 * const web = new AgbSession("web", { imageId: "agb-code-space-1" }, { provider: europe });
 *
 * export const sessionId = web.sessionId;
 *
 * @throws RunError when an argument is unknown, when `apiKey` is an empty string, or when the variable that is mapped to the key
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
      throw programError(message, "AGB211");
    }
    const { apiKey, endpoint, timeoutMs, defaultLabels, ignoreLabels } = settingNames;
    const keyVariable = Object.keys(mappings).find((variable) => mappings[variable] === apiKey.variable);
    if (args.apiKey === undefined && keyVariable !== undefined && !isVariableSet(keyVariable)) {
      const message =
        `AgbProvider "${name}": envVarMappings takes the key from ${keyVariable}, which is not set. Set it: without it, ` +
        `${apiKey.variable} of another account would be used.`;
      throw programError(message, "AGB212");
    }
    const settings = {
      [apiKey.key]: args.apiKey ? pulumi.secret(args.apiKey) : stack(apiKey, () => config.getSecret("apiKey")),
      [endpoint.key]: args.endpoint ?? stack(endpoint, () => config.get("endpoint")),
      [timeoutMs.key]:
        args.timeoutMs !== undefined
          ? pulumi.output(args.timeoutMs).apply(String)
          : stack(timeoutMs, () => config.get("timeoutMs")),
      [defaultLabels.key]: args.defaultLabels ? pulumi.jsonStringify(args.defaultLabels) : config.get("defaultLabels"),
      [ignoreLabels.key]: args.ignoreLabels ? pulumi.jsonStringify(args.ignoreLabels) : config.get("ignoreLabels"),
    };
    super("pulumi-nodejs", name, settings, opts);
    rememberSettings(this, { settings, mappings });
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
    throw programError(message, "AGB118");
  }
}

interface EnvironmentMappings {
  readonly envVarMappings?: VariableMappings;
}
