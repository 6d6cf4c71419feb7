import { AgbNotFoundError } from "../api/errors";

/** What a call about a session answers, `undefined` when AGB says that the session is gone; other errors are thrown. */
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
