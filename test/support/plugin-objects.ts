import type { ServiceError } from "@grpc/grpc-js";
import type { DynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import { EngineLog, servePlugin } from "../../provider/hosts/plugin";
import type { Properties } from "../../provider/kinds/hosted-kind";
import type { Clock } from "../../provider/lifecycle/wait";
import { openServedPackage } from "../../provider/plugin/served-package";
import { typeTokens } from "../../provider/type-tokens";
import { initFailure, PluginClient, urnOf } from "./plugin-client";
import type { ProviderObjects } from "./provider-objects";

/**
 * Opens a plugin in this process, and objects with the methods of the dynamic provider that call it over gRPC. So a test of
 * the life of sessions runs with both hosts. Everything ends with `abandonCreates`.
 *
 * @param stackId id of the provider in the state
 */
export async function openPluginObjects(
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  stackId: string,
): Promise<ProviderObjects> {
  const log = new EngineLog(() => {});
  const served = openServedPackage({ version: "1.2.3", schema: "{}" }, { environment, clock, say: () => {} });
  const server = await servePlugin(served, log);
  const client = PluginClient.connect(server.port, { logged: [] });
  await client.configure({}, stackId);
  return {
    session: pluginObject(client, typeTokens.session.plugin),
    context: pluginObject(client, typeTokens.context.plugin),
    command: pluginObject(client, typeTokens.command.plugin),
    file: pluginObject(client, typeTokens.file.plugin),
    configure: () => {},
    abandonCreates: async () => {
      await served.onEnd();
      await served.close();
      client.close();
      server.close();
    },
  };
}

function pluginObject(client: PluginClient, type: string): DynamicProvider {
  const urn = (given: Properties) => urnOf(type, nameIn(given));
  return {
    configure: async () => {},
    check: async (olds, news) => {
      const { inputs, failures } = await client.check(urn(news), declaredPart(news), olds);
      return { inputs, failures: failures.map((reason) => ({ property: "", reason })) };
    },
    diff: async (id, olds, news) => {
      const { changes, replaces, deleteBeforeReplace } = await client.diff(urn(news), id, olds, news);
      return { changes, replaces, deleteBeforeReplace };
    },
    create: async (inputs) => {
      const { id, properties } = await withProperties(client.create(urn(inputs), inputs));
      return { id, outs: properties };
    },
    read: async (id, known = {}) => {
      const { id: found, properties, inputs } = await client.read(urn(known), id, known, {});
      return found === "" ? {} : { id: found, props: properties, ...(inputs && { inputs }) };
    },
    update: async (id, olds, news) => ({ outs: await withProperties(client.update(urn(news), id, olds, news)) }),
    delete: (id, known) => client.delete(urn(known), id, known),
  };
}

/** The name of a resource, from what its class adds or from its labels. */
function nameIn(given: Properties): string {
  const { "pulumi-resource": name = given["__resource"] } = (given["labelsAll"] ?? {}) as Properties;
  return String(name);
}

/** What a program of the plugin declares: its host knows the owner. */
function declaredPart(news: Properties): Properties {
  return Object.fromEntries(Object.entries(news).filter(([name]) => !name.startsWith("__") && name !== "labelsAll"));
}

/** Adds to an error the resource that the call left behind, as errors of the dynamic provider have it. */
function withProperties<Result>(call: Promise<Result>): Promise<Result> {
  return call.catch((error: ServiceError) => {
    const hasDetails = error.metadata.get("grpc-status-details-bin").length > 0;
    throw hasDetails ? Object.assign(new Error(error.details), initFailure(error)) : error;
  });
}
