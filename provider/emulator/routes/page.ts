// Pages of lists from the newest entry to the oldest. A token says how old the next entries are, so entries that come and
// go between two pages neither repeat nor hide others.

import { z } from "zod";
import type { Outcome } from "../envelope";
import { invalidRequest } from "../failures";

const defaultPageSize = 10;

/** `maxResults` and `nextToken` of a list. */
export const pageParameters = z.object({
  maxResults: z
    .string()
    .regex(/^\d{1,9}$/, { error: "must be a whole number" })
    .transform(Number)
    .refine((value) => value >= 1, { error: "must be at least 1" })
    .default(defaultPageSize),
  nextToken: z.string().default(""),
});

/**
 * One page of all entries, newest first, and the token of the next one.
 *
 * @throws ApiFailure (HTTP 400) when the token is not from an earlier page
 */
export function cutPage<Entry extends { readonly sequence: number }>(
  entries: readonly Entry[],
  { maxResults, nextToken }: z.output<typeof pageParameters>,
  pageCap: number,
): { page: readonly Entry[] } & Required<Pick<Outcome, "nextToken" | "maxResults" | "count">> {
  const before = nextToken === "" ? Number.POSITIVE_INFINITY : readPageToken(nextToken);
  const pageSize = Math.min(maxResults, pageCap);
  const rest = entries.filter((entry) => entry.sequence < before);
  const page = rest.slice(0, pageSize);
  const last = page.at(-1);
  return {
    page,
    nextToken: last !== undefined && rest.length > page.length ? writePageToken(last.sequence) : "",
    maxResults: pageSize,
    count: entries.length,
  };
}

function writePageToken(sequence: number): string {
  return Buffer.from(`before ${sequence}`).toString("base64url");
}

function readPageToken(token: string): number {
  const sequence = Number(/^before (\d{1,15})$/.exec(Buffer.from(token, "base64url").toString())?.[1]);
  if (!Number.isInteger(sequence) || writePageToken(sequence) !== token) {
    throw invalidRequest("nextToken: is not a token from an earlier page");
  }
  return sequence;
}
