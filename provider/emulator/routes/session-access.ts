import { randomString } from "../identifiers";
import type { SessionRecord } from "../sessions/session";

/** The access data of a session. The access code is different in every reply (AGB Python session test). */
export function sessionAccess(record: SessionRecord) {
  const authCode = randomString(40);
  return {
    authCode,
    // A host name that can never exist, because there is nothing to see.
    resourceUrl: `https://resource.agb.invalid/web?resourceId=${record.resourceId}&authcode=${authCode}`,
  };
}

/** What the replies to create and get have in common. Without link, socket and token, AGB's SDKs call tools through the API. */
export function sessionConnection(record: SessionRecord) {
  return {
    sessionId: record.sessionId,
    appInstanceId: record.appInstanceId,
    resourceId: record.resourceId,
    resourceUrl: sessionAccess(record).resourceUrl,
    linkUrl: "",
    wsUrl: "",
    token: "",
  };
}
