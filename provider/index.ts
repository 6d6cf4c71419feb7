/**
 * What a program imports. Constructing resources loads neither the HTTP client nor the schemas.
 */
export {
  AgbApiError,
  AgbAuthenticationError,
  AgbError,
  AgbNetworkError,
  AgbNotFoundError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "./api/errors";
export { AgbProvider, type AgbProviderArgs } from "./resources/agb-provider";
export { AgbSession, type AgbSessionArgs } from "./resources/agb-session";
