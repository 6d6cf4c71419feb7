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
// Types apart from values: a project without a TypeScript of its own is compiled by the 3.8 that Pulumi brings along,
// which cannot read them in one list.
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
