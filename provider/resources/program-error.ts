import * as pulumi from "@pulumi/pulumi";
import { type MessageCode, withCode } from "../messages/message-codes";

/**
 * Makes the error for a mistake in the program. Pulumi shows its message alone. With any other error it shows Node's stack, in
 * which the message is hard to find. The message names the resource or the function, so the place in the program is clear.
 */
export function programError(message: string, code: MessageCode): pulumi.RunError {
  return new pulumi.RunError(withCode(message, code));
}
