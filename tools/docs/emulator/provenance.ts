// What the emulator does and how that is known. `docs/emulator.md` is written from it, so that readers know what to trust.
// Nothing was checked against the live service.

/** How a behaviour is known. If there are several sources, the strongest counts, in this order. */
export const sources = {
  "AGB test": "an integration or unit test of AGB asserts it",
  "SDK source": "AGB's SDKs send or parse it like this",
  "AGB docs": "AGB's documentation or changelog says it",
  "sibling platform": "known only from the SDK, tests or help pages of another platform with the same service",
  assumed: "documented nowhere; the emulator's choice",
} as const;

/** One thing that the emulator does. */
export interface Behaviour {
  readonly behaviour: string;
  readonly source: keyof typeof sources;
}

const known = (source: keyof typeof sources, ...behaviours: readonly string[]): readonly Behaviour[] =>
  behaviours.map((behaviour) => ({ behaviour, source }));

/** All behaviours by topic. */
export const provenance: Readonly<Record<string, readonly Behaviour[]>> = {
  Replies: [
    ...known(
      "SDK source",
      "A JSON object with `success`, `code`, `message`, `httpStatusCode`, `requestId`; exactly HTTP 200 on success",
      "The request id is in the body and in the header `x-request-id`",
      "`+` in a query is a space; an empty body means the same as `{}`, whatever the content type; doubled slashes count as one",
      "`authorization: Bearer KEY` on every operation; never in query or body",
    ),
    ...known("AGB docs", "A request id is an upper-case UUID"),
    ...known("AGB test", "`code` is `ok` on success"),
    ...known(
      "sibling platform",
      "A missing or wrong key: HTTP 400, `NOT_LOGIN`, before anything else is checked",
      "An unknown path: HTTP 404, `InvalidAction.NotFound`",
    ),
    ...known(
      "assumed",
      "An invalid parameter: HTTP 400, `InvalidRequest`; the message begins with the parameter's name",
      "More requests per second than the option allows: HTTP 429, `Throttling`, with `Retry-After`",
      "Everything below `/_emulator/` is the emulator's own and not part of AGB",
      "A body over 1 MiB: HTTP 413. Another host in the Host header: HTTP 421. A state that cannot be saved: HTTP 503 for every operation until it can be saved. A read may show a change that is still being written",
      "With a state file, every reply has the header `x-agb-emulator-id`: a random id of that state, so that clients can tell emulators apart. Without a state file the sessions end with the emulator, and there is no such header",
      "All keys belong to one account",
    ),
  ],
  "Session life": [
    ...known(
      "SDK source",
      "A create takes `imageId` in the query, labels as a JSON string, the idle timeout in seconds, `mcpPolicyId`, `persistenceDataList`",
      "A refused create reports success outside and `data.success: false` with `errMsg` inside",
      "An unknown or released session: `InvalidMcpSession.NotFound`, HTTP 400",
      "An idle timeout of 0 means the default: one SDK sends it, the other leaves it out",
      "A create cannot be repeated safely: there is no client token",
    ),
    ...known(
      "AGB test",
      "A session is released when it has been idle for its timeout, never earlier",
      "Keep-alive and tool calls reset the idle timer; a status call does not",
      "`appInstanceId` and `resourceId` are not empty; `resourceUrl` has `resourceId=` and a different access code in each reply",
    ),
    ...known(
      "AGB docs",
      "5 idle minutes by default, 30 minutes at most",
      "Session ids are `session-` and lower-case letters and digits",
      "`longDuration-policy` lets a session live longer",
      "The reply to a release only accepts it; the release completes later",
      "Image ids `agb-code-space-1`, `agb-browser-use-1`, `agb-computer-use-ubuntu-2204`, `img-…` and others",
    ),
    ...known(
      "sibling platform",
      "The message is `Resource [McpSession] is not found.`; the resource type is `AIAgent`",
    ),
    ...known(
      "assumed",
      "A session that is being released reports `DELETING` for 200 ms and then is not found; for all other operations it is gone immediately",
      "`longDuration-policy` grants 24 hours; an unknown policy is accepted and changes nothing",
      "Labels, lists, info and links do not reset the idle timer",
      "Releasing a session that is gone: not found",
      "An unknown image, and one session more than `maximumSessions`, are refused inside a reply that reports success",
      "`linkUrl`, `wsUrl` and `token` are empty, so that SDKs call tools through the API; there is no WebSocket",
      "The idle timeout has no minimum and no maximum",
    ),
  ],
  Lists: [
    ...known("AGB test", "`count` is the number of all matches; every pair of the filter must match exactly"),
    ...known(
      "SDK source",
      "10 entries per page unless `maxResults` says otherwise; the paging keys are at the top level",
    ),
    ...known("AGB docs", "Released sessions are not listed"),
    ...known("sibling platform", "Lists of contexts have `totalCount` beside `count`"),
    ...known(
      "assumed",
      "Newest first; at most 100 entries per page; the last page has an empty `nextToken`",
      "A token that is not from an earlier page: HTTP 400",
      "`isAll` is ignored; sessions that are being released are not listed",
      "A label filter finds a new session immediately, or after `labelIndexDelayMs`",
    ),
  ],
  Labels: [
    ...known(
      "SDK source",
      "SetLabel takes `Labels`, with a capital letter, as a JSON string in the query; GetLabel returns a JSON string",
    ),
    ...known(
      "sibling platform",
      "SetLabel replaces all labels (its live test requires it; one page of its documentation says it adds to them)",
      "`Labels={}` removes all labels",
      "At most 20 labels, keys of 128 and values of 256 characters: its client's limits",
    ),
    ...known("assumed", "A label's value must be a string; empty keys and values are accepted"),
  ],
  "Links and browsers": [
    ...known(
      "SDK source",
      "getLink and getCdpLink return `data.url`, the start of a browser `data.port`; port 0 means no port",
    ),
    ...known("AGB test", "Ports from 30100 to 30199 have a link"),
    ...known("sibling platform", "The protocol is `https` or `wss`; without a port only a browser image has a link"),
    ...known(
      "assumed",
      "A link leads to a host name that cannot exist; if tools are allowed, the link of a port leads to that port of this computer, without TLS",
      "All sessions share this computer's ports; the link does not say which session uses the port",
      "No browser runs: its start returns port 9222, where nothing listens",
    ),
  ],
  Contexts: [
    ...known(
      "SDK source",
      "GetContext with `allowCreate=true` and a name creates a missing context; it must not have an id",
      "A context that is being wiped is `clearing`, then `available`",
      "GetContextInfo returns JSON in JSON in JSON; `Success` and `Failed` are final; times are Unix seconds",
      "`contextId` and `path` of SyncContext come together or not at all",
      "A session's transfer context is loaded by GetAndLoadInternalContext with the type `file_transfer`",
      "A file's path in a context is its absolute path in the session: file transfers use it so",
    ),
    ...known(
      "AGB test",
      "Creating a context that exists returns it; a deleted one is not found; a wipe can be repeated; an unknown context cannot be wiped",
    ),
    ...known(
      "AGB docs",
      "A name is unique within a region",
      "Mounts are downloaded when the session begins and uploaded before it is released, if the policy asks for it",
      "White lists are relative to the mount",
    ),
    ...known(
      "sibling platform",
      "Context ids are `SdkCtx-` and letters and digits; addresses of files work for an hour",
    ),
    ...known(
      "assumed",
      "An unknown context: HTTP 400, `InvalidContext.NotFound`, `Context not found` (the message is from fixtures); also for a create that mounts it, which then creates no session",
      "If both an id and a name are given, the id decides; renaming to a name that is taken is refused",
      "A context can be deleted while it is mounted; what its sessions upload later is lost",
      "The state `in-use` is never shown; a wipe takes 200 ms (`clearDelayMs`), and the files are gone immediately",
      "Times are ISO 8601 in UTC; the last use is the last mount",
      "A file that cannot be copied, because it is too large or its name is not UTF-8, is left out. The synchronization is `Failed`, its `errorMessage` names the file, and all others are copied",
      "A session can mount only one context at a path, and none at the root; white list paths may be absolute",
      "SyncContext without a mode uploads; it also accepts a path that is not mounted, with the default policy",
      "An upload removes files that the session had and has deleted, unless `syncLocalFile` is false; files that others stored meanwhile stay",
      "`Archive` stores the same files as `File`; recycle policies are kept and do nothing; file modes, empty folders and symbolic links are not kept",
      "The internal context's folder is `/tmp/file_transfer`; it ends with its session",
    ),
  ],
  "Context files": [
    ...known(
      "SDK source",
      "PUT and GET without a key at an address from the API; `expireTime` is an integer",
      "DescribeContextFiles has 50 entries per page and `count` at the top level",
    ),
    ...known(
      "assumed",
      "`expireTime` is in Unix seconds; an address is valid for one file and one direction; otherwise HTTP 403, `AccessDenied`",
      "DescribeContextFiles lists one folder, by name, with its folders; an unknown folder is empty",
      "A missing file has a download address too, which then returns HTTP 400",
      "A file whose content is not on disk, because the state file was moved or restored without the folders beside it: HTTP 410, `InvalidContextFile.ContentMissing`",
      "A file has at most 2 GiB, as `maximumFileBytes` says",
    ),
  ],
  Tools: [
    ...known(
      "SDK source",
      "Tool names, arguments and the form of results are those of AGB's Python SDK 0.12.0",
      "A failed tool is a success of the call with `data.isError: true`",
      "A range of a file is in bytes, and binary content is base64",
    ),
    ...known(
      "AGB test",
      "The code image has `shell`, `run_code`, `read_file`, `write_file`",
      "A call in a session that is gone: `InvalidSession.NotFound`",
    ),
    ...known("AGB docs", "Python and JavaScript can be run; Java and R, which AGB offers too, cannot be run here"),
    ...known(
      "assumed",
      "Without `allowExec` every tool fails and says how to allow it; the call still resets the idle timer",
      "A command with an exit code other than 0 is not a failure of the tool; a command that times out is, with exit code 124",
      "Commands start in `/home/user`, which is also HOME. On Linux with namespaces they see the session's folder as the root of the file system, this computer's programs and `/etc` in it read-only, and only the processes of their session; otherwise they see what this computer's user sees",
      "Everything that a session runs ends with the session",
      "Calls of run_code share no state; the value of the last expression is the result",
      "A range of a text file contains the characters that begin in it",
      "A custom image has the tools of a code image; browser and computer tools, and edit_file, search_files, read_multiple_files and get_file_change, do not run",
      "Metrics are this computer's; the network is not measured",
      "Commands and code end after 60 seconds at the latest. Each output is cut at 1 MiB, counted as a JSON string in UTF-8; a longer file range or folder list is refused",
    ),
  ],
};
