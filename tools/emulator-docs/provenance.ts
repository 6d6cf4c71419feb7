// What the emulator does and where each part of it is known from, as data: `docs/emulator.md` is made from it, so that a
// reader knows what to trust. Nothing here was checked against the live service.

/** Where a behaviour is known from; of several the strongest counts, in this order. */
export const sources = {
  "AGB test": "an integration or unit test of AGB asserts it",
  "SDK source": "AGB's SDKs send or parse it so",
  "AGB docs": "AGB's documentation or changelog says so",
  "sibling platform": "known only from the SDK, tests or help pages of the platform that offers the same service",
  assumed: "documented nowhere: the emulator's choice",
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
      "`+` in a query is a blank; an empty body means the same as `{}`, whatever the content type; doubled slashes are one",
      "`authorization: Bearer KEY` on every operation; never in query or body",
    ),
    ...known("AGB docs", "A request id is an upper-case UUID"),
    ...known("AGB test", "`code` is `ok` on success"),
    ...known(
      "sibling platform",
      "A missing or wrong key: HTTP 400, `NOT_LOGIN`, before anything else is looked at",
      "An unknown path: HTTP 404, `InvalidAction.NotFound`",
    ),
    ...known(
      "assumed",
      "A parameter that is not valid: HTTP 400, `InvalidRequest`, the message begins with the parameter's name",
      "More requests than the option allows in a second: HTTP 429, `Throttling`, with `Retry-After`",
      "Everything under `/_emulator/`: it is the emulator's own and no part of AGB",
      "A body over 1 MiB: HTTP 413. Another host in the Host header: HTTP 421. A state that cannot be saved: HTTP 503",
      "With a state file, the header `x-agb-emulator-id` in every reply: a random name of that state, so that clients can tell emulators apart; without one the sessions end with the emulator, and there is no such header",
      "All keys belong to one account",
    ),
  ],
  "Session life": [
    ...known(
      "SDK source",
      "A create takes `imageId` in the query, labels as JSON text, the idle timeout in seconds, `mcpPolicyId`, `persistenceDataList`",
      "A refused create reports success outside and `data.success: false` with `errMsg` inside",
      "An unknown or released session: `InvalidMcpSession.NotFound`, HTTP 400",
      "An idle timeout of 0 means the default: one SDK sends it, the other leaves it out",
      "A create cannot be repeated safely: there is no client token",
    ),
    ...known(
      "AGB test",
      "A session is released when it was idle as long as its timeout says, never earlier",
      "Keep-alive and tool calls set the idle timer back; asking for the status does not",
      "`appInstanceId` and `resourceId` are not empty; `resourceUrl` has `resourceId=` and another access code at each read",
    ),
    ...known(
      "AGB docs",
      "5 idle minutes by default, 30 minutes at the longest",
      "Session ids are `session-` and lower-case letters and digits",
      "`longDuration-policy` lets a session live longer",
      "A release is only accepted by its reply and completes later",
      "Image ids `agb-code-space-1`, `agb-browser-use-1`, `agb-computer-use-ubuntu-2204`, `img-…` and others",
    ),
    ...known("sibling platform", "`Resource [McpSession] is not found.` is the text; `AIAgent` is the resource type"),
    ...known(
      "assumed",
      "A session that is being released reports `DELETING` for 200 ms, then is not found; to all other operations it is gone at once",
      "`longDuration-policy` grants 24 hours; an unknown policy is accepted and changes nothing",
      "The idle timer is not set back by labels, lists, info or links",
      "Releasing a session that is gone is not found",
      "An unknown image, and a session more than `maximumSessions`, is refused inside a reply that reports success",
      "`linkUrl`, `wsUrl` and `token` are empty, so that SDKs call tools through the API; there is no WebSocket",
      "The idle timeout has no least and no greatest value",
    ),
  ],
  Lists: [
    ...known("AGB test", "`count` is the number of all matches; every pair of the filter must match exactly"),
    ...known("SDK source", "10 entries on a page unless `maxResults` says otherwise; paging keys are at the top level"),
    ...known("AGB docs", "Released sessions are not listed"),
    ...known("sibling platform", "Lists of contexts have `totalCount` beside `count`"),
    ...known(
      "assumed",
      "Newest first; at most 100 entries on a page; the last page has an empty `nextToken`",
      "A token that is not from an earlier page: HTTP 400",
      "`isAll` is ignored; sessions that are being released are not listed",
      "A new session is found by its labels at once; `labelIndexDelayMs` makes that later",
    ),
  ],
  Labels: [
    ...known(
      "SDK source",
      "SetLabel takes `Labels`, with a capital letter, as JSON text in the query; GetLabel answers JSON text",
    ),
    ...known(
      "sibling platform",
      "SetLabel replaces all labels (its live test requires it; one page of its documentation says it adds to them)",
      "`Labels={}` removes all labels",
      "At most 20 labels, keys of 128 and values of 256 characters: its client's limits",
    ),
    ...known("assumed", "A label's value must be a text; empty keys and values are accepted"),
  ],
  "Links and browsers": [
    ...known(
      "SDK source",
      "getLink and getCdpLink answer `data.url`, the start of a browser `data.port`; port 0 is none",
    ),
    ...known("AGB test", "Ports from 30100 to 30199 have a link"),
    ...known("sibling platform", "The protocol is `https` or `wss`; without a port only a browser image has a link"),
    ...known(
      "assumed",
      "A link leads to a host name that cannot exist; where tools are allowed the link of a port leads to that port of this computer, without TLS",
      "All sessions share this computer's ports; the link does not say whether the session has the port",
      "No browser runs: its start answers port 9222, and nothing listens there",
    ),
  ],
  Contexts: [
    ...known(
      "SDK source",
      "GetContext with `allowCreate=true` and a name makes a missing context; an id must not be given then",
      "A context that is being wiped is `clearing`, then `available`",
      "GetContextInfo answers JSON in JSON in JSON; `Success` and `Failed` are final; times are Unix seconds",
      "`contextId` and `path` of SyncContext come together or not at all",
      "A session's transfer context is loaded by GetAndLoadInternalContext with the type `file_transfer`",
      "A file's path in a context is its absolute path in the session: file transfers use it so",
    ),
    ...known(
      "AGB test",
      "Making a context that exists answers the existing one; a deleted one is not found; a wipe can be repeated; an unknown one cannot be wiped",
    ),
    ...known(
      "AGB docs",
      "A name is unique within a region",
      "Mounts are downloaded when the session begins and uploaded before it is released, if the policy says so",
      "White lists are relative to the mount",
    ),
    ...known(
      "sibling platform",
      "Context ids are `SdkCtx-` and letters and digits; addresses of files work for an hour",
    ),
    ...known(
      "assumed",
      "An unknown context: HTTP 400, `InvalidContext.NotFound`, `Context not found` (the text is from fixtures); also at a create that mounts it, which then makes no session",
      "An id decides when a name is given as well; renaming onto a name that is taken is refused",
      "A context can be deleted while it is mounted; what its sessions upload later is lost",
      "The state `in-use` is never shown; a wipe takes 200 ms; its files are gone at once",
      "Times are ISO 8601 in UTC; the last use is the last mount",
      "A file that cannot be copied, because it is too large or its name is not UTF-8, is left out: the synchronization is `Failed`, its `errorMessage` names the file, and all others are copied",
      "A path can be mounted once in a session, and the root not at all; white list paths that are absolute are understood",
      "SyncContext without a mode uploads; it also takes a path that is not mounted, with the default policy",
      "A file that the session had and has deleted is removed by an upload unless `syncLocalFile` is false; one that others stored meanwhile stays",
      "`Archive` stores the same files as `File`; recycle policies are kept and do nothing; file modes, empty folders and symbolic links are not kept",
      "The internal context's folder is `/tmp/file_transfer`; it ends with its session",
    ),
  ],
  "Context files": [
    ...known(
      "SDK source",
      "PUT and GET without a key at an address from the API; `expireTime` is a whole number",
      "DescribeContextFiles has 50 entries on a page and `count` at the top level",
    ),
    ...known(
      "assumed",
      "`expireTime` is in Unix seconds; an address is good for one file and one direction; else HTTP 403, `AccessDenied`",
      "DescribeContextFiles lists one folder, by name, with its folders; an unknown folder is empty",
      "An address for download is given also for a file that is not there, and then answers HTTP 400",
      "A file has at most 2 GiB, as `maximumFileBytes` says",
    ),
  ],
  Tools: [
    ...known(
      "SDK source",
      "Tool names, their arguments and what their results look like: those of AGB's Python SDK 0.12.0",
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
      "Without `allowExec` every tool fails and says how to allow it; the call sets the idle timer back all the same",
      "A command that ends with another exit code than 0 is no failure of the tool; one whose time is over is, with exit code 124",
      "Commands begin in `/home/user`, which is also HOME. On Linux with namespaces they see the session's folder as the root of the file system, this computer's programs and `/etc` in it read-only, and only the processes of their session; else they see what this computer's user sees",
      "Everything that a session runs ends with the session",
      "run_code keeps nothing from one call to the next; the value of the last expression is the result",
      "A text range has the characters that begin in it",
      "A custom image has the tools of a code image; browser and computer tools, and edit_file, search_files, read_multiple_files and get_file_change, are not run",
      "Metrics are this computer's; the network is not measured",
      "A command or code ends after 60 seconds at the latest. Each output is cut at 1 MiB, counted as a JSON string in UTF-8; a file range or a list of a folder that is longer is refused",
    ),
  ],
};
