import type { ServiceError } from "@grpc/grpc-js";
import { configNamespace } from "../../provider/config";
import type { DynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import { EngineLog, servePlugin } from "../../provider/hosts/plugin";
import type { Properties } from "../../provider/kinds/hosted-kind";
import type { Clock } from "../../provider/lifecycle/wait";
import { openServedPackage } from "../../provider/plugin/served-package";
import { typeTokens } from "../../provider/type-tokens";
import { closeAfterTest } from "./close-after-test";
import { initFailure, PluginClient, sourceAsset, urnOf, withoutMarks } from "./plugin-client";
import type { KindObjects, ProviderObjects } from "./provider-objects";

/**
 * Opens a plugin in this process, and objects with the methods of the dynamic provider that call it over gRPC. So a test of a
 * promise runs with both hosts. Messages appear as those of the dynamic provider do. Everything ends with `abandonCreates`,
 * or with the test.
 *
 * @param stackId id of the provider in the state
 */
export function openPluginObjects(
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  stackId: string,
): ProviderObjects {
  const opening = openPlugin(environment, clock);
  let configured = configureWith({});
  closeAfterTest({ close: end });

  // Calls wait until the plugin has the newest configuration.
  async function configureWith(config: Readonly<Record<string, string>>, before?: Promise<unknown>) {
    await before;
    const { client } = await opening;
    await client.configure(pluginSettings(config), stackId);
    return client;
  }

  let ending: Promise<void> | undefined;
  function end(): Promise<void> {
    ending ??= configured.then(() => opening).then(({ close }) => close());
    return ending;
  }

  return {
    ...pluginObjects(() => configured),
    configure: (config) => {
      configured = configureWith(config, configured);
    },
    abandonCreates: end,
  };
}

/** The settings that a plugin gets for the configuration of a stack. */
export function pluginSettings(config: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const prefix = `${configNamespace}:`;
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(prefix, ""), value]));
}

/** Objects with the methods of the dynamic provider, which call a plugin. */
export function pluginObjects(open: () => Promise<PluginClient>): KindObjects {
  const objectFor = (type: string) => pluginObject(open, type);
  return {
    session: objectFor(typeTokens.session.plugin),
    context: objectFor(typeTokens.context.plugin),
    command: objectFor(typeTokens.command.plugin),
    file: objectFor(typeTokens.file.plugin),
  };
}

async function openPlugin(environment: Readonly<Record<string, string | undefined>>, clock: Clock) {
  const log = new EngineLog((message) => console.error(`agb: ${message}`));
  const say = (message: string) => log.say(message);
  const served = openServedPackage({ version: "1.2.3", schema: "{}" }, { environment, clock, say });
  const server = await servePlugin(served, log);
  const client = PluginClient.connect(server.port, { logged: [] });
  const close = async () => {
    await served.onEnd();
    await served.close();
    await client.idle();
    client.close();
    server.close();
  };
  return { client, close };
}

function pluginObject(open: () => Promise<PluginClient>, type: string): DynamicProvider {
  const urn = (given: Properties) => urnOf(type, nameIn(given));
  return {
    configure: async () => {},
    check: async (olds, news) => {
      const plugin = await open();
      const { inputs, failures } = await failingAsDynamic(
        plugin.check(urn(news), declaredPart(news), storedPart(olds)),
        news,
      );
      return {
        inputs: { ...(withoutMarks(inputs) as Properties), ...addedPart(news) },
        failures: failures.map((reason) => ({ property: "", reason })),
      };
    },
    diff: async (id, olds, news) => {
      const plugin = await open();
      const difference = await failingAsDynamic(plugin.diff(urn(news), id, storedPart(olds), storedPart(news)), news);
      const { changes, diffs, replaces, deleteBeforeReplace } = difference;
      // Where inputs differ, the dynamic provider leaves it to Pulumi whether that is a change.
      return changes && diffs.length > 0
        ? { replaces, ...(deleteBeforeReplace && { deleteBeforeReplace }) }
        : { changes };
    },
    create: async (inputs) => {
      const plugin = await open();
      const { id, properties } = await failingAsDynamic(plugin.create(urn(inputs), sentPart(inputs)), inputs);
      return { id, outs: { ...(withoutMarks(properties) as Properties), ...addedPart(inputs) } };
    },
    read: async (id, known = {}) => {
      const plugin = await open();
      const {
        id: found,
        properties,
        inputs = {},
      } = await failingAsDynamic(plugin.read(urn(known), id, storedPart(known), {}), known);
      if (found === "") {
        return {};
      }
      const added = addedPart(known);
      const props = { ...(withoutMarks(properties) as Properties), ...added };
      // The plugin returns the inputs that it was given where Pulumi is to keep them, and here it was given none.
      const isKept = Object.keys(inputs).length === 0;
      return isKept
        ? { id: found, props }
        : { id: found, props, inputs: { ...(withoutMarks(inputs) as Properties), ...added } };
    },
    update: async (id, olds, news) => {
      const plugin = await open();
      const properties = await failingAsDynamic(plugin.update(urn(news), id, storedPart(olds), sentPart(news)), news);
      return { outs: { ...(withoutMarks(properties) as Properties), ...addedPart(news) } };
    },
    delete: async (id, known) => {
      const plugin = await open();
      await failingAsDynamic(plugin.delete(urn(known), id, storedPart(known)), known);
    },
  };
}

/** The name of a resource, from what its class adds or from its labels. */
function nameIn(given: Properties): string {
  const { "pulumi-resource": name = given["__resource"] } = (given["labelsAll"] ?? {}) as Properties;
  return String(name);
}

/** What the resource classes add, for the engine or because the dynamic host knows no owner. */
const addedNames: ReadonlySet<string> = new Set(["labelsAll", "stackId", "parent"]);

/** What a program of the plugin declares: its host knows the owner. */
function declaredPart(news: Properties): Properties {
  return Object.fromEntries(Object.entries(sentPart(news)).filter(([name]) => !addedNames.has(name)));
}

/** What the engine sends of what a program declares. */
function sentPart(given: Properties): Properties {
  return sendable(given, true);
}

/** What the engine sends where it takes a plugin to need no content of files. */
function storedPart(given: Properties): Properties {
  return sendable(given, false);
}

function sendable(given: Properties, hasContent: boolean): Properties {
  const sent = Object.entries(given).filter(([name, value]) => !name.startsWith("__") && value !== undefined);
  return Object.fromEntries(
    // A preview may not know a source yet.
    sent.map(([name, value]) => [
      name,
      name === "source" && typeof value === "object" ? sourceAsset(value as Properties, hasContent) : value,
    ]),
  );
}

/** What a state of the dynamic provider has besides. Here it keeps the name of the resource between two calls. */
function addedPart(given: Properties): Properties {
  return Object.fromEntries(Object.entries(given).filter(([name]) => name.startsWith("__")));
}

/** A message with the names that dynamic resources have, so that one test can compare the messages of both hosts. */
function withClassNames(message: string): string {
  const kinds = [typeTokens.session, typeTokens.context, typeTokens.command, typeTokens.file];
  return kinds.reduce(
    (text, { dynamic, plugin }) => text.replaceAll(plugin, dynamic.slice(dynamic.lastIndexOf(":") + 1)),
    message,
  );
}

/** Gives an error of a call over gRPC the form of the dynamic provider's, with the resource that the call left behind. */
export function failingAsDynamic<Result>(call: Promise<Result>, given: Properties): Promise<Result> {
  return call.catch((error: ServiceError) => {
    // Only this message reaches the engine, no stack.
    const message = withClassNames(error.details);
    const failure = Object.assign(new Error(message), { stack: message });
    if (error.metadata.get("grpc-status-details-bin").length === 0) {
      throw failure;
    }
    const { id, properties, reasons } = initFailure(error);
    const left = { ...(withoutMarks(properties) as Properties), ...addedPart(given) };
    throw Object.assign(failure, { id, properties: left, reasons });
  });
}
