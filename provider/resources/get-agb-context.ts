import type * as pulumi from "@pulumi/pulumi";
import { lookUp, lookUpOutput } from "./look-up";

/** Arguments of `getAgbContext`. */
export interface GetAgbContextArgs {
  /** Name of the context. */
  readonly name: string;
}

/** Arguments of `getAgbContextOutput`. */
export interface GetAgbContextOutputArgs {
  /** Name of the context. */
  readonly name: pulumi.Input<string>;
}

/** A context. */
export interface GetAgbContextResult {
  /** AGB's id of the context. */
  readonly contextId: string;
  /** Name of the context. */
  readonly name: string;
  /** AGB's state of the context, such as `available` or `clearing`. Empty if AGB names none. */
  readonly state: string;
}

/**
 * Looks up a context by its name. Fails if there is none. It never creates one.
 *
 * @example
 * import { AgbSession, getAgbContextOutput } from "pulumi-agb";
 *
 * const cache = getAgbContextOutput({ name: "build-cache" });
 *
 * const web = new AgbSession("web", {
 *   imageId: "agb-code-space-1",
 *   contextSyncs: [{ contextId: cache.contextId, path: "/home/user/cache" }],
 * });
 *
 * export const sessionId = web.sessionId;
 */
export function getAgbContext(args: GetAgbContextArgs, opts: pulumi.InvokeOptions = {}): Promise<GetAgbContextResult> {
  return lookUp("getContext", args, opts);
}

/** The same with arguments that may be outputs. */
export function getAgbContextOutput(
  args: GetAgbContextOutputArgs,
  opts: pulumi.InvokeOutputOptions = {},
): pulumi.Output<GetAgbContextResult> {
  return lookUpOutput("getContext", args, opts);
}
