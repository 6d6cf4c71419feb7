import * as pulumi from "@pulumi/pulumi";
import { lookUp, lookUpOutput } from "./look-up";

/** Arguments of `getAgbSessionLink`. */
export interface GetAgbSessionLinkArgs {
  /** AGB's id of the session. */
  readonly sessionId: string;
  /** Port in the session, from 30100 to 30199. */
  readonly port: number;
  /**
   * Protocol of the address: `https`, or `wss` for a WebSocket.
   *
   * @default "https"
   */
  readonly protocol?: "https" | "wss";
}

/** Arguments of `getAgbSessionLinkOutput`. */
export interface GetAgbSessionLinkOutputArgs {
  /** AGB's id of the session. */
  readonly sessionId: pulumi.Input<string>;
  /** Port in the session, from 30100 to 30199. */
  readonly port: pulumi.Input<number>;
  /**
   * Protocol of the address: `https`, or `wss` for a WebSocket.
   *
   * @default "https"
   */
  readonly protocol?: pulumi.Input<"https" | "wss">;
}

/** A link to a port of a session. */
export interface GetAgbSessionLinkResult {
  /** AGB's id of the session. */
  readonly sessionId: string;
  /** The address. It holds a token, so it is a secret output. */
  readonly url: pulumi.Output<string>;
}

/**
 * Asks for an address of a port of a session. AGB does not say how long it is valid. A promise cannot be secret, so `url` is a
 * secret output.
 *
 * @example
 * import { getAgbSessionLinkOutput } from "pulumi-agb";
 *
 * const link = getAgbSessionLinkOutput({ sessionId: "session-flzgquzm2h9jq6hd1nzethyo3", port: 30100 });
 *
 * export const url = link.url;
 */
export async function getAgbSessionLink(
  args: GetAgbSessionLinkArgs,
  opts: pulumi.InvokeOptions = {},
): Promise<GetAgbSessionLinkResult> {
  const { sessionId, url } = await lookUp("getSessionLink", args, opts);
  return { sessionId, url: pulumi.secret(url) };
}

/** The same with arguments that may be outputs. */
export function getAgbSessionLinkOutput(
  args: GetAgbSessionLinkOutputArgs,
  opts: pulumi.InvokeOutputOptions = {},
): pulumi.Output<pulumi.Unwrap<GetAgbSessionLinkResult>> {
  return pulumi.secret(lookUpOutput("getSessionLink", args, opts));
}
