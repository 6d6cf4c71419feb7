import { z } from "zod";
import { invalidRequest } from "../failures";
import { parseLabelText } from "../labels";
import { nothing, route } from "./route";

const defaultPageSize = 10;

const query = z.object({
  maxResults: z
    .string()
    .regex(/^\d{1,9}$/, { error: "must be a whole number" })
    .transform(Number)
    .refine((value) => value >= 1, { error: "must be at least 1" })
    .default(defaultPageSize),
  nextToken: z.string().default(""),
  labels: z.string().default(""),
});

/**
 * GET /sdk/ListSession: running sessions, newest first. `isAll` is ignored, as nothing is known about its meaning.
 * A page token says how old the next sessions are, so sessions that come and go between two pages neither repeat nor
 * hide others.
 */
export const listSessions = route({
  method: "GET",
  path: "/sdk/ListSession",
  operation: "ListSession",
  writes: false,
  query,
  body: nothing,
  handle({ query: { maxResults, nextToken, labels } }, { store, settings }) {
    const filter = labels === "" ? {} : parseLabelText("labels", labels);
    const before = nextToken === "" ? Number.POSITIVE_INFINITY : readPageToken(nextToken);
    const pageSize = Math.min(maxResults, settings.pageCap);
    const matches = store.list(filter);
    const rest = matches.filter((record) => record.sequence < before);
    const page = rest.slice(0, pageSize);
    const last = page.at(-1);
    return {
      data: page.map((record) => ({ sessionId: record.sessionId, sessionStatus: "RUNNING" })),
      nextToken: last !== undefined && rest.length > page.length ? writePageToken(last.sequence) : "",
      maxResults: pageSize,
      count: matches.length,
    };
  },
});

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
