import { configNamespace } from "../config";
import type { KindName } from "../kinds/provider";
import { typeTokens } from "../type-tokens";

/** Name of the package in schema, tokens and plugin. */
export const packageName = "agb";

/** Kinds that programs declare in a plugin. */
export type ServedKindName = Exclude<KindName, "stackIdentity">;

/** The type of each kind. States hold it with each resource, so it never changes. */
export const tokenOfKind: Readonly<Record<ServedKindName, string>> = {
  session: typeTokens.session.plugin,
  context: typeTokens.context.plugin,
  command: typeTokens.command.plugin,
  file: typeTokens.file.plugin,
};

/** The token of a function, such as `agb:index:getSession`. */
export function functionToken(name: string): string {
  return `${packageName}:index:${name}`;
}

/** The name of a setting without its namespace, such as `apiKey` for `agb:apiKey`. */
export function settingName(key: string): string {
  return key.slice(configNamespace.length + 1);
}
