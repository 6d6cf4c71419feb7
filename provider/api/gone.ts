/**
 * AGB's codes for a session that is unknown or released. The first is from the source of AGB's SDK, the second from one
 * of its unit fixtures. `noSuchCallCode` is deliberately not one of them.
 */
export const sessionGoneCodes = ["InvalidMcpSession.NotFound", "InvalidSession.NotFound"] as const;

/** AGB's code for an unknown call: the endpoint's path is wrong, or the call is not deployed there. */
export const noSuchCallCode = "InvalidAction.NotFound";
