import { callFailureCode } from "./call-failure-code";
import type { MessageCode } from "./message-codes";

/** What failed and why, and the code of the message that says so. */
export interface Failure {
  readonly text: string;
  readonly code: MessageCode;
}

/** Describes anything that was thrown. An error without a code of its own is a failed call to AGB, or unexpected. */
export function describeFailure(error: unknown): Failure {
  const { messageCode } = (error ?? {}) as { readonly messageCode?: MessageCode };
  return {
    text: error instanceof Error ? error.message : String(error),
    code: messageCode ?? callFailureCode(error),
  };
}
