import * as pulumi from "@pulumi/pulumi";
import { lookUp, lookUpOutput } from "./look-up";

/** Arguments of `getAgbSessionUrl`. */
export interface GetAgbSessionUrlArgs {
  /** AGB's id of the session. */
  readonly sessionId: string;
}

/** Arguments of `getAgbSessionUrlOutput`. */
export interface GetAgbSessionUrlOutputArgs {
  /** AGB's id of the session. */
  readonly sessionId: pulumi.Input<string>;
}

/** The address of a session. */
export interface GetAgbSessionUrlResult {
  /** AGB's id of the session. */
  readonly sessionId: string;
  /** The address. It holds a token, so it is a secret output. */
  readonly url: pulumi.Output<string>;
}

/**
 * Asks for the address at which a person sees a session in a browser. It is another one at each call, and valid for 30 minutes.
 * A promise cannot be secret, so `url` is a secret output.
 *
 * @example
 * import { getAgbSessionUrlOutput } from "pulumi-agb";
 *
 * export const url = getAgbSessionUrlOutput({ sessionId: "session-flzgquzm2h9jq6hd1nzethyo3" }).url;
 */
export async function getAgbSessionUrl(
  args: GetAgbSessionUrlArgs,
  opts: pulumi.InvokeOptions = {},
): Promise<GetAgbSessionUrlResult> {
  const { sessionId, url } = await lookUp("getSessionUrl", args, opts);
  return { sessionId, url: pulumi.secret(url) };
}

/** The same with arguments that may be outputs. */
export function getAgbSessionUrlOutput(
  args: GetAgbSessionUrlOutputArgs,
  opts: pulumi.InvokeOutputOptions = {},
): pulumi.Output<pulumi.Unwrap<GetAgbSessionUrlResult>> {
  return pulumi.secret(lookUpOutput("getSessionUrl", args, opts));
}
