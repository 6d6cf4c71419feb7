/** A request that the service refuses. It becomes a reply with `success: false`. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Headers of the reply, in addition to the usual ones. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** Wrong or missing key. HTTP 400 and not 401, as the sibling platform answers; AGB documents nothing. */
export function notLoggedIn(): ApiFailure {
  return new ApiFailure(400, "NOT_LOGIN", "The caller is not logged in or the login token has expired.");
}

/** The session is unknown or released. Code from the AGB SDK source, full message from the sibling platform. */
export function sessionNotFound(): ApiFailure {
  return new ApiFailure(400, "InvalidMcpSession.NotFound", "Resource [McpSession] is not found.");
}

/** The session of a tool call is unknown or released. Code and message from an AGB unit test. */
export function toolSessionNotFound(): ApiFailure {
  return new ApiFailure(400, "InvalidSession.NotFound", "Resource [Session] is not found.");
}

/** The context is unknown or deleted. Message from fixtures of AGB's tests; the code is made up, modelled on the sibling's. */
export function contextNotFound(): ApiFailure {
  return new ApiFailure(400, "InvalidContext.NotFound", "Context not found");
}

/** The context has no such file. */
export function contextFileNotFound(): ApiFailure {
  return new ApiFailure(400, "InvalidContextFile.NotFound", "Context file not found");
}

/** The context has the file, but its content is not on disk. No retry helps. */
export function contextFileContentMissing(): ApiFailure {
  return new ApiFailure(
    410,
    "InvalidContextFile.ContentMissing",
    "The content of the context file is missing on the emulator's disk. The state file was moved or restored without the folders beside it, or somebody deleted files in them. Put the folder back whose name is that of the state file and .contexts, or upload the file again.",
  );
}

/** The content of a context file is on disk but cannot be read. */
export function contextFileNotRead(reason: string): ApiFailure {
  return new ApiFailure(503, "ContextFileNotRead", `The emulator could not read the content of the file: ${reason}`);
}

/** Another context of the region has the name. */
export function contextNameTaken(): ApiFailure {
  return new ApiFailure(400, "InvalidContext.NameExists", "name: another context already has this name");
}

/** The address of a file is not from this emulator, was changed, does not allow this request, or has expired. */
export function fileLinkRefused(): ApiFailure {
  return new ApiFailure(403, "AccessDenied", "The link is not valid for this request or has expired.");
}

/** The file is over the limit. */
export function fileTooLarge(limitBytes: number): ApiFailure {
  return new ApiFailure(413, "RequestBodyTooLarge", `The file is larger than ${limitBytes} bytes.`);
}

/** There is no such operation. Code from the sibling platform. */
export function unknownAction(method: string, path: string): ApiFailure {
  return new ApiFailure(404, "InvalidAction.NotFound", `There is no operation ${method} ${path.slice(0, 200)}.`);
}

/** @param message begins with the name of the field at fault */
export function invalidRequest(message: string): ApiFailure {
  return new ApiFailure(400, "InvalidRequest", message);
}

/** More requests than the limit allows. AGB documents neither a limit nor a code. */
export function tooManyRequests(perSecond: number, retryAfterSeconds: number): ApiFailure {
  return new ApiFailure(429, "Throttling", `More than ${perSecond} requests per second.`, {
    "retry-after": String(retryAfterSeconds),
  });
}

/** The request's body is over the limit. */
export function bodyTooLarge(limitBytes: number): ApiFailure {
  return new ApiFailure(413, "RequestBodyTooLarge", `The request body is larger than ${limitBytes} bytes.`);
}

/** The request comes from a web page of another origin. */
export function originRefused(): ApiFailure {
  return new ApiFailure(
    403,
    "OriginRefused",
    "The Origin header names another site. Only the emulator's own page may send this request.",
  );
}

/** The console's endpoints need the API key, or the token that is in the emulator's own page. */
export function adminKeyRequired(): ApiFailure {
  return new ApiFailure(401, "NOT_LOGIN", "Send one of the emulator's API keys: authorization: Bearer <key>.");
}

/** There is no fault rule with this number. */
export function faultNotFound(id: string): ApiFailure {
  return new ApiFailure(404, "Fault.NotFound", `There is no fault rule ${id.slice(0, 20)}.`);
}

/** The request names another host. A web page elsewhere may have pointed its own name to loopback (DNS rebinding). */
export function hostRefused(): ApiFailure {
  return new ApiFailure(
    421,
    "HostRefused",
    "The Host header names another host. The emulator answers only requests for localhost, an address that begins with 127, [::1] or the host on which it listens.",
  );
}

/** The change is in memory but not on disk, so it must not be acknowledged. */
export function stateNotSaved(reason: string): ApiFailure {
  return new ApiFailure(503, "StateNotSaved", `The emulator could not save its state: ${reason}`);
}
