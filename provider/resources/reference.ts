import type { KindName } from "../kinds/provider";

/**
 * The one line of text that Pulumi stores as `__provider` with each resource and that its dynamic-provider process
 * evaluates: a reference to the installed package, never its code. So the state stays small, and old states run
 * today's code.
 *
 * The process looks for the package from the program's folder upwards. Where a package manager such as pnpm installed
 * it only as a dependency of a dependency it is not found there, but from Pulumi's own place it is.
 *
 * @param kind name of an export of `pulumi-agb/dynamic`
 */
export function providerReference(kind: KindName): string {
  return `exports.handler=()=>{let m=module,p="pulumi-agb/dynamic";try{require.resolve(p)}catch{m=require.main}return m.require(p).${kind}}`;
}
