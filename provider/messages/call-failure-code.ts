import {
  AgbApiError,
  AgbAuthenticationError,
  AgbEndlessListError,
  AgbNetworkError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "../api/errors";
import { noSuchCallCode } from "../api/gone";
import { isTransient } from "../api/retry";
import type { MessageCode } from "./message-codes";

/** Chooses the code for the failure of a call to AGB. Anything else is an unexpected error, `AGB100`. */
export function callFailureCode(error: unknown): MessageCode {
  if (error instanceof AgbAuthenticationError) {
    return "AGB202";
  }
  if (error instanceof AgbTimeoutError) {
    return "AGB305";
  }
  if (error instanceof AgbNetworkError) {
    return networkFailureCode(error);
  }
  if (error instanceof AgbUnexpectedReplyError || isAtWrongAddress(error)) {
    return "AGB306";
  }
  if (error instanceof AgbEndlessListError) {
    return "AGB309";
  }
  if (error instanceof AgbApiError) {
    return error.status === 429 ? "AGB308" : isTransient(error) ? "AGB307" : "AGB310";
  }
  return "AGB100";
}

/** What to do about failures that need the same answer in the provider and in its commands. */
export const sharedAdvice = {
  AGB100: "This is a defect of pulumi-agb; please report it.",
  AGB310: "If the message does not say what to change, ask AGB's support and give them the request id.",
} as const satisfies Partial<Record<MessageCode, string>>;

/** Whether the endpoint is wrong: something other than AGB refused the call, or AGB has no such call at this path. */
export function isAtWrongAddress(error: unknown): boolean {
  return error instanceof AgbApiError && (!error.isFromAgb || error.code === noSuchCallCode);
}

function networkFailureCode({ obstacle, requestSent }: AgbNetworkError): MessageCode {
  switch (obstacle) {
    case "tls":
      return "AGB302";
    case "proxy":
      return "AGB303";
    default:
      return requestSent ? "AGB304" : "AGB301";
  }
}
