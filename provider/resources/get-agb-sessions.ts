import type * as pulumi from "@pulumi/pulumi";
import { lookUp, lookUpOutput } from "./look-up";

/** Arguments of `getAgbSessions`. */
export interface GetAgbSessionsArgs {
  /**
   * Labels that each session carries. A session may carry others too.
   *
   * @default none, which finds all sessions of the account
   */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Arguments of `getAgbSessionsOutput`. */
export interface GetAgbSessionsOutputArgs {
  /** Labels that each session carries. A session may carry others too. */
  readonly labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** The sessions that were found. */
export interface GetAgbSessionsResult {
  /** The sessions, in the order of their ids. */
  readonly sessions: readonly ListedAgbSession[];
  /** Their ids, in the same order. */
  readonly sessionIds: readonly string[];
}

/** A running session in a list. */
export interface ListedAgbSession {
  /** AGB's id of the session. */
  readonly sessionId: string;
  /** AGB's status of the session, such as `RUNNING`. */
  readonly status: string;
  /** The labels of the session, without those that begin with `pulumi-`. */
  readonly labels: Readonly<Record<string, string>>;
  /** All labels of the session. */
  readonly labelsAll: Readonly<Record<string, string>>;
}

/**
 * Finds the running sessions that carry some labels. Reads every page of AGB's list. Labels that no session carries give an
 * empty list. AGB lists no labels, so each session costs one call more.
 *
 * @example
 * import { getAgbSessions } from "pulumi-agb";
 *
 * const found = getAgbSessions({ labels: { project: "shop" } });
 *
 * export const sessionIds = found.then((sessions) => sessions.sessionIds);
 */
export function getAgbSessions(
  args: GetAgbSessionsArgs = {},
  opts: pulumi.InvokeOptions = {},
): Promise<GetAgbSessionsResult> {
  return lookUp("getSessions", args, opts);
}

/** The same with arguments that may be outputs. */
export function getAgbSessionsOutput(
  args: GetAgbSessionsOutputArgs = {},
  opts: pulumi.InvokeOutputOptions = {},
): pulumi.Output<GetAgbSessionsResult> {
  return lookUpOutput("getSessions", args, opts);
}
