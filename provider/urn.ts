/**
 * Reads the names that Pulumi gives resources. Imports nothing, so that everything may use it.
 */

/** What the name of a resource says, such as `urn:pulumi:dev::shop::my:index:Component$agb:index:Session::web`. */
export interface UrnParts {
  readonly stack: string;
  readonly project: string;
  /** Types of the resources around it, from the outside, with `$` between them; `undefined` for none. */
  readonly parentType: string | undefined;
  readonly type: string;
  readonly name: string;
}

/** Takes the URN of a resource apart. Parts that it lacks are empty. */
export function parseUrn(urn: string): UrnParts {
  const [stack = "", project = "", types = "", ...name] = urn.replace(/^urn:pulumi:/, "").split("::");
  const end = types.lastIndexOf("$");
  return {
    stack,
    project,
    parentType: end === -1 ? undefined : types.slice(0, end),
    type: types.slice(end + 1),
    // Only a name may contain the separator.
    name: name.join("::"),
  };
}
