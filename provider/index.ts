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
export type { AgbFileArgs, AgbFileTimeouts } from "./resources/agb-file";
export { AgbFile } from "./resources/agb-file";
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
export type { GetAgbContextArgs, GetAgbContextOutputArgs, GetAgbContextResult } from "./resources/get-agb-context";
export { getAgbContext, getAgbContextOutput } from "./resources/get-agb-context";
export type { GetAgbSessionArgs, GetAgbSessionOutputArgs, GetAgbSessionResult } from "./resources/get-agb-session";
export { getAgbSession, getAgbSessionOutput } from "./resources/get-agb-session";
export type {
  GetAgbSessionLinkArgs,
  GetAgbSessionLinkOutputArgs,
  GetAgbSessionLinkResult,
} from "./resources/get-agb-session-link";
export { getAgbSessionLink, getAgbSessionLinkOutput } from "./resources/get-agb-session-link";
export type {
  GetAgbSessionUrlArgs,
  GetAgbSessionUrlOutputArgs,
  GetAgbSessionUrlResult,
} from "./resources/get-agb-session-url";
export { getAgbSessionUrl, getAgbSessionUrlOutput } from "./resources/get-agb-session-url";
export type {
  GetAgbSessionsArgs,
  GetAgbSessionsOutputArgs,
  GetAgbSessionsResult,
  ListedAgbSession,
} from "./resources/get-agb-sessions";
export { getAgbSessions, getAgbSessionsOutput } from "./resources/get-agb-sessions";
export { PreviewEnvironment } from "./resources/preview-environment";
export type {
  PreviewAppArgs,
  PreviewCacheArgs,
  PreviewEnvironmentArgs,
  PreviewSetupCommand,
} from "./resources/preview-environment-args";
