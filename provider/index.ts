/**
 * What a program imports. Constructing resources loads neither the HTTP client nor the schemas.
 */
export {
  AgbApiError,
  AgbAuthenticationError,
  AgbEndlessListError,
  AgbError,
  AgbNetworkError,
  AgbNotFoundError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "./api/errors";
// Types have their own lists. Pulumi compiles a project that has no TypeScript of its own with version 3.8, which cannot
// read types and values in one list.
export type {
  BWList,
  DeletePolicy,
  DownloadPolicy,
  ExtractPolicy,
  MappingPolicy,
  RecyclePolicy,
  SyncPolicy,
  UploadPolicy,
  WhiteList,
} from "./api/sync-policy";
export type { AgbCommandArgs } from "./resources/agb-command";
export { AgbCommand } from "./resources/agb-command";
export type { AgbContextArgs, AgbContextTimeouts } from "./resources/agb-context";
export { AgbContext } from "./resources/agb-context";
export type { AgbProviderArgs } from "./resources/agb-provider";
export { AgbProvider } from "./resources/agb-provider";
export type {
  AgbContextSync,
  AgbSessionAdoption,
  AgbSessionArgs,
  AgbSessionTimeouts,
  FoundAgbSession,
} from "./resources/agb-session";
export { AgbSession } from "./resources/agb-session";
