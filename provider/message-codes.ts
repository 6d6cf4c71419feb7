/**
 * The codes that end the messages of this package, such as `[AGB201]`. A code stands for one cause with one remedy, so
 * several wordings of the same cause share it. `docs/troubleshooting.md` has an entry for each code, with this title.
 *
 * 1xx: declarations and programs. 2xx: settings. 3xx: the connection and AGB's answers. 4xx: sessions. 5xx: contexts.
 * 6xx: stacks, the Pulumi CLI, sweep and drift. 7xx: preview environments and forges. 8xx: the emulator. Users search
 * for codes, so a code never gets another meaning.
 */
export const messageCodes = {
  AGB100: "Unexpected error",
  AGB101: "Unknown property",
  AGB102: "Missing property",
  AGB103: "Value of the wrong type",
  AGB104: "Value that is not allowed",
  AGB105: "Label that is not allowed",
  AGB106: "Reserved label key",
  AGB107: "Too many labels",
  AGB108: "Name too long for a label",
  AGB109: "Invalid pattern of ignored labels",
  AGB110: "Invalid path in contextSyncs",
  AGB111: "Context or path mounted twice",
  AGB112: "contextSyncs together with adopt",
  AGB113: "adopt names no session",
  AGB114: "Two resources with one context",
  AGB115: "Pulumi cannot import dynamic resources",
  AGB116: "customTimeouts has no effect",
  AGB117: "deleteBeforeReplace: false would lose files",
  AGB118: "Unknown argument of AgbProvider",
  AGB119: "The stack has no id yet",

  AGB201: "No API key",
  AGB202: "AGB refused the API key",
  AGB203: "API key with invalid characters",
  AGB204: "Invalid endpoint",
  AGB205: "Invalid time limit",
  AGB206: "Invalid default labels",
  AGB207: "Invalid ignored labels in the settings",
  AGB208: "Invalid proxy variable",
  AGB209: "Unknown setting",
  AGB210: "API key stored as plain text",
  AGB211: "Empty API key in AgbProvider",
  AGB212: "Mapped key variable is not set",

  AGB301: "No connection to the endpoint",
  AGB302: "TLS failed",
  AGB303: "Proxy failed",
  AGB304: "The connection broke",
  AGB305: "No answer within the time limit",
  AGB306: "Something other than AGB answered",
  AGB307: "AGB is overloaded or failing",
  AGB308: "Too many calls",
  AGB309: "A list that does not end",
  AGB310: "AGB refused the call",
  AGB311: "Not found with another API key",
  AGB312: "Not found at another service",
  AGB313: "Not found in another emulator",
  AGB314: "Nothing exists with this id",

  AGB401: "AGB refused to create the session",
  AGB402: "AGB refused to mount a context",
  AGB403: "Unknown whether a session was created",
  AGB404: "The session is gone",
  AGB405: "No running session to adopt",
  AGB406: "Several sessions to adopt",
  AGB407: "The session to adopt has another owner",
  AGB408: "AGB listed a session without the labels of adopt",
  AGB409: "Another resource took over the session",
  AGB410: "The session has other labels than those that were set",
  AGB411: "The session was adopted, but its labels may not be set",
  AGB412: "The session still exists after its release",
  AGB413: "The session lacks files of its contexts",
  AGB414: "AGB released the session during the download",
  AGB415: "Files of the session could not be uploaded",
  AGB416: "The session was released without its files",
  AGB417: "A mount was not uploaded",
  AGB418: "The run ended during a create",

  AGB501: "A context with this name exists",
  AGB502: "The context holds files",
  AGB503: "AGB is still clearing the context",
  AGB504: "A change of the context does not show",
  AGB505: "Unknown whether a context was created",
  AGB506: "Another resource took over the context",
  AGB507: "The context is gone",
  AGB508: "AGB refused to change the context",
} as const;

/** The code of a message, such as `AGB201`. */
export type MessageCode = keyof typeof messageCodes;

/**
 * Ends a message with its code. Only the layer that shows a message calls this. Errors inside the provider keep their code
 * apart from their words, so an error that quotes another one shows a single code, its own.
 */
export function withCode(message: string, code: MessageCode): string {
  return `${message} [${code}]`;
}
