import { AgbNotFoundError } from "./errors";

/** Returns the result of a call about a session or context, or `undefined` if AGB says that it is gone. Throws other errors. */
export async function unlessGone<Result>(call: Promise<Result>): Promise<Result | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof AgbNotFoundError) {
      return undefined;
    }
    throw error;
  }
}
