import type { MessageCode } from "./message-codes";

/** An error whose message says what failed, why and what to do. Its code is apart from the words, see `withCode`. */
export class CodedError extends Error {
  override readonly name: string = "CodedError";

  constructor(
    message: string,
    readonly messageCode: MessageCode,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
