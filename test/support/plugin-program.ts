import { javascriptFiles } from "./pulumi-project";

/**
 * The first lines of programs that know the plugin by its types alone, without an SDK: a class for each resource and one for
 * its provider.
 */
export const pluginClasses = `
  const pulumi = require("@pulumi/pulumi");
  const declare = (type, outputs = []) =>
    class extends pulumi.CustomResource {
      constructor(name, args, opts) {
        super("agb:index:" + type, name, { ...Object.fromEntries(outputs.map((output) => [output, undefined])), ...args }, opts);
      }
    };
  const [Session, Context, Command, File] = [
    declare("Session", ["labelsAll"]), declare("Context"), declare("Command", ["stdout"]), declare("File", ["contentHash"]),
  ];
  class Provider extends pulumi.ProviderResource {}
`;

/** The files of a project that declares these sessions of the plugin, by name. */
export function pluginSessions(sessions: Readonly<Record<string, object>>): Record<string, string> {
  return javascriptFiles(`${pluginClasses}
    for (const [name, args] of Object.entries(${JSON.stringify(sessions)})) {
      new Session(name, args);
    }
  `);
}
