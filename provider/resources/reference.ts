import type { KindName } from "../kinds/provider";

/**
 * Returns the line that Pulumi stores as `__provider` with each resource. Its dynamic-provider process evaluates the line,
 * which refers to the installed package and holds none of its code. So the state stays small, and old states run today's
 * code.
 *
 * The process looks for the package from the program's folder upwards. A package manager such as pnpm may hide a package that
 * is only a dependency of a dependency. Then the line finds it from Pulumi's own folder.
 *
 * @param kind name of an export of `pulumi-agb/dynamic`
 */
export function providerReference(kind: KindName): string {
  return `exports.handler=()=>{let m=module,p="pulumi-agb/dynamic";try{require.resolve(p)}catch{m=require.main}return m.require(p).${kind}}`;
}
