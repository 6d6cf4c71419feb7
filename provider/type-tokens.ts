/**
 * The type tokens of the package's resources in a stack's state, by kind. Dynamic resources and the resources of a plugin
 * have different tokens for the same kind, and one state may hold both. Imports nothing, so that everything may use it.
 */

/** The tokens of each kind. States hold them, so they never change. */
export const typeTokens = {
  session: { dynamic: "pulumi-nodejs:dynamic/agb:AgbSession", plugin: "agb:index:Session" },
  context: { dynamic: "pulumi-nodejs:dynamic/agb:AgbContext", plugin: "agb:index:Context" },
  command: { dynamic: "pulumi-nodejs:dynamic/agb:AgbCommand", plugin: "agb:index:Command" },
  file: { dynamic: "pulumi-nodejs:dynamic/agb:AgbFile", plugin: "agb:index:File" },
  /** Its id is the id of a stack with dynamic resources. With a plugin, the ids of its providers have that role. */
  stackIdentity: { dynamic: "pulumi-nodejs:dynamic/agb:AgbStackIdentity" },
  /** Holds the settings of an account. The dynamic one serves the dynamic resources of all packages. */
  provider: { dynamic: "pulumi:providers:pulumi-nodejs", plugin: "pulumi:providers:agb" },
} as const satisfies Readonly<Record<string, { readonly dynamic: string; readonly plugin?: string }>>;

/** Type of the component `PreviewEnvironment`, which runs in the program and so needs no host. */
export const previewEnvironmentType = "agb:index:PreviewEnvironment";

/** Tells whether a resource is of a kind, whichever host serves it. */
export function isOfKind(type: string, kind: keyof typeof typeTokens): boolean {
  return Object.values<string>(typeTokens[kind]).includes(type);
}
