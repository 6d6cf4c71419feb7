/**
 * Codes with which AGB says that a session is unknown or released: the first from its SDK's source, the second from a
 * unit fixture of it. `noSuchCallCode` is not among them.
 */
export const sessionGoneCodes = ["InvalidMcpSession.NotFound", "InvalidSession.NotFound"] as const;

/**
 * Codes with which AGB says that a context is unknown or deleted. The true one is not known: fixtures of AGB's SDK have the
 * text "Context not found" without a code, those of its sibling platform `Context.NotFound` and `ContextNotFound`. So
 * it is any code that ends with these words.
 */
export const contextGoneCodes = [/Context(?:Id|Name)?[._]?NotFound$/i] as const;

/** Code with which AGB says that there is no such call at this address: the endpoint's path is wrong, or it is not deployed. */
export const noSuchCallCode = "InvalidAction.NotFound";
