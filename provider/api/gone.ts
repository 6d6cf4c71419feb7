/**
 * AGB's codes for a session that is unknown or released. The first is from the source of AGB's SDK, the second from one
 * of its unit fixtures. `noSuchCallCode` is deliberately not one of them.
 */
export const sessionGoneCodes = ["InvalidMcpSession.NotFound", "InvalidSession.NotFound"] as const;

/**
 * AGB's codes for a context that is unknown or deleted. The real code is not known: fixtures of AGB's SDK have the message
 * "Context not found" without a code, those of its sibling platform `Context.NotFound` and `ContextNotFound`. So any code that
 * ends with these words counts, but not where another word comes before `Context`.
 */
export const contextGoneCodes = [/(?:^|\.)(?:Invalid)?(?:Sdk)?Context(?:Id|Name)?[._]?NotFound$/i] as const;

/** AGB's code for an unknown call: the endpoint's path is wrong, or the call is not deployed there. */
export const noSuchCallCode = "InvalidAction.NotFound";

/**
 * Whether AGB's refusal says that what the call is about is gone: one of the codes, in AGB's own reply with a status below 500.
 */
export function saysGone(
  codes: readonly (string | RegExp)[],
  { code, status, isFromAgb }: { readonly code: string; readonly status: number; readonly isFromAgb: boolean },
): boolean {
  const isListed = codes.some((gone) => (typeof gone === "string" ? gone === code : gone.test(code)));
  return isFromAgb && status < 500 && isListed;
}
