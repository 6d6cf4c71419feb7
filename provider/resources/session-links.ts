import * as pulumi from "@pulumi/pulumi";
import { knownValue, lookUpOutput } from "./look-up";
import { programError } from "./program-error";

/** What an `AgbSession` is here. */
interface Session extends pulumi.CustomResource {
  readonly released: pulumi.Output<boolean>;
}

// Fields of the resource would be exported with it.
const names = new WeakMap<Session, string>();
const resourceUrls = new WeakMap<Session, pulumi.Output<string>>();

/** Remembers the name of a session that the program declares, for messages: it can be recreated. */
export function rememberName(session: Session, name: string): void {
  names.set(session, name);
}

/** Asks for the address of a session, once for each session. The output is secret. */
export function resourceUrlOf(session: Session): pulumi.Output<string> {
  const args = { sessionId: runningId(session) };
  const url = resourceUrls.get(session) ?? pulumi.secret(ofSession(session, "getSessionUrl", args).url);
  resourceUrls.set(session, url);
  return url;
}

/** Asks for a link to a port of a session. The output is secret. */
export function linkTo(
  session: Session,
  port: pulumi.Input<number>,
  protocol: pulumi.Input<"https" | "wss"> | undefined,
): pulumi.Output<string> {
  const args = { sessionId: runningId(session), port, ...(protocol !== undefined && { protocol }) };
  return pulumi.secret(ofSession(session, "getSessionLink", args).url);
}

/** Asks with the session's own provider. */
function ofSession<Name extends "getSessionUrl" | "getSessionLink">(
  session: Session,
  name: Name,
  args: Parameters<typeof lookUpOutput<Name>>[1],
) {
  return lookUpOutput(name, args, { parent: session }, names.get(session));
}

function runningId(session: Session): pulumi.Output<string> {
  return session.id.apply(async (id) => {
    // A preview does not know this output of a session that AGB has not released.
    refuseReleased(names.get(session) ?? "", (await knownValue(session.released)) ?? false);
    return id;
  });
}

/** @throws RunError when AGB has released the session, which is still in the state */
export function refuseReleased(name: string, released: boolean): void {
  if (released) {
    const message =
      `AgbSession "${name}": AGB has released the session, so it has no address and no link. The option onRelease: "keep" ` +
      "keeps it in the state. Ask for a link only while the output `released` is false.";
    throw programError(message, "AGB964");
  }
}
