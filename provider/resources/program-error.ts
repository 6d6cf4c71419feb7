import * as pulumi from "@pulumi/pulumi";
import { type MessageCode, withCode } from "../messages/message-codes";

/**
 * Makes the error for a mistake in the program. Pulumi shows the message of a `RunError` alone. With any other error it shows
 * Node's stack, in which the message is hard to find. The message names the resource or the function, so the place in the
 * program is clear.
 */
export function programError(message: string, code: MessageCode): pulumi.RunError {
  const error = new pulumi.RunError(withCode(message, code));
  // Pulumi formats the stack although it does not show it. For an error in an output, that takes Node up to two minutes.
  return Object.assign(error, { stack: error.message });
}
