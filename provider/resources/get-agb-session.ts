import type * as pulumi from "@pulumi/pulumi";
import { lookUp, lookUpOutput } from "./look-up";

/** Arguments of `getAgbSession`. */
export interface GetAgbSessionArgs {
  /** AGB's id of the session. */
  readonly sessionId: string;
}

/** Arguments of `getAgbSessionOutput`. */
export interface GetAgbSessionOutputArgs {
  /** AGB's id of the session. */
  readonly sessionId: pulumi.Input<string>;
}

/** A running session. */
export interface GetAgbSessionResult {
  /** AGB's id of the session. */
  readonly sessionId: string;
  /** AGB's status of the session, such as `RUNNING`. */
  readonly status: string;
  /** The labels of the session, without those that begin with `pulumi-`. */
  readonly labels: Readonly<Record<string, string>>;
  /** All labels of the session. */
  readonly labelsAll: Readonly<Record<string, string>>;
  /** AGB's id of the running instance behind the session. */
  readonly appInstanceId?: string | undefined;
  /** AGB's id of the resource behind the session. */
  readonly resourceId?: string | undefined;
}

/**
 * Looks up a running session by its id. Fails if AGB has none. Use `AgbSession.get` for a resource instead.
 *
 * @example
 * import { getAgbSession } from "pulumi-agb";
 *
 * const found = getAgbSession({ sessionId: "session-flzgquzm2h9jq6hd1nzethyo3" });
 *
 * export const labels = found.then((session) => session.labels);
 */
export function getAgbSession(args: GetAgbSessionArgs, opts: pulumi.InvokeOptions = {}): Promise<GetAgbSessionResult> {
  return lookUp("getSession", args, opts);
}

/** The same with arguments that may be outputs. */
export function getAgbSessionOutput(
  args: GetAgbSessionOutputArgs,
  opts: pulumi.InvokeOutputOptions = {},
): pulumi.Output<GetAgbSessionResult> {
  return lookUpOutput("getSession", args, opts);
}
