/**
 * Codes with which AGB says that a session is unknown or released: the first from its SDK's source, the second from a
 * unit fixture of it. `noSuchCallCode` is not among them.
 */
export const sessionGoneCodes = ["InvalidMcpSession.NotFound", "InvalidSession.NotFound"] as const;

/** Code with which AGB says that there is no such call at this address: the endpoint's path is wrong, or it is not deployed. */
export const noSuchCallCode = "InvalidAction.NotFound";
