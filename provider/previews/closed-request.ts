import { describeFailure } from "../messages/describe-failure";
import type { PreviewJob } from "./job";

/** Asks the forge whether a request is closed. Warns and returns false when the forge gives no answer. */
export async function isClosedRequest(
  { forge, output }: Pick<PreviewJob, "forge" | "output">,
  request: number,
): Promise<boolean> {
  try {
    return (await forge?.readRequest(request))?.isOpen === false;
  } catch (error) {
    const { text, code } = describeFailure(error);
    output.warn(`Could not find out whether request ${request} is closed: ${text}`, code);
    return false;
  }
}
