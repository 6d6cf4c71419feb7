/**
 * Codes with which AGB says that a session is unknown or released: the first from its SDK's source, the second from a
 * unit fixture of it. `InvalidAction.NotFound` is not among them: it means that a call is not deployed.
 */
export const sessionGoneCodes = ["InvalidMcpSession.NotFound", "InvalidSession.NotFound"] as const;
