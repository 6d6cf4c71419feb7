import type { PreviewJob } from "./job";

/** Asks the forge whether a request is closed. Where that cannot be found out it warns, and the answer is no. */
export async function isClosedRequest(
  { forge, output }: Pick<PreviewJob, "forge" | "output">,
  request: number,
): Promise<boolean> {
  try {
    return (await forge?.readRequest(request))?.isOpen === false;
  } catch (error) {
    output.warn(
      `Could not find out whether request ${request} is open: ${error instanceof Error ? error.message : error}`,
    );
    return false;
  }
}
