import { z } from "zod";
import type { AgbClient, Operation } from "./client";
import { sessionGoneCodes } from "./gone";
import { parseJson } from "./json";

/** Labels of a session, string to string. */
export type Labels = Readonly<Record<string, string>>;

/** Encodes labels as AGB expects them: a JSON object in a string. */
export function encodeLabels(labels: Labels): string {
  return JSON.stringify(labels);
}

/** More labels than any session has. A reply with a million would block the process for seconds. */
const mostLabels = 1_000;

// AGB's SDKs send numbers and nulls unchanged, so other tools may have stored them.
const labelValue = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .transform((value) => (value === null ? "" : String(value)));

// Not `z.record`, which loses the key `__proto__`.
const labelValues = z.custom<Readonly<Record<string, unknown>>>(isPlainObject).transform((labels, context): Labels => {
  if (Object.keys(labels).length > mostLabels) {
    context.addIssue({ code: "custom", message: `there are more than ${mostLabels} labels` });
    return z.NEVER;
  }
  const entries = Object.entries(labels).map(([key, value]) => {
    const { success, data = "" } = labelValue.safeParse(value);
    if (!success) {
      context.addIssue({ code: "custom", path: [key], message: "the value is not a string, number, boolean or null" });
    }
    return [key, data] as const;
  });
  return Object.fromEntries(entries);
});

/**
 * Labels as AGB returns them: a JSON object in a string, or the object itself. Absent, null or empty means none.
 * Anything else fails, because reading it as "no labels" would show drift that does not exist.
 */
export const labelsSchema = z
  .union([z.string(), z.custom<Readonly<Record<string, unknown>>>(isPlainObject)])
  .nullish()
  .transform((value, context): unknown => {
    if (typeof value !== "string") {
      return value ?? {};
    }
    if (value === "") {
      return {};
    }
    const labels = parseJson(value);
    if (labels === undefined) {
      context.addIssue({ code: "custom", message: "the labels are not JSON" });
      return z.NEVER;
    }
    return labels ?? {};
  })
  .pipe(labelValues);

const getLabelOperation: Operation<{ sessionId: string }, Labels> = {
  name: "GetLabel",
  method: "GET",
  path: "/sdk/GetLabel",
  idempotent: true,
  goneCodes: sessionGoneCodes,
  innerVerdict: false,
  parts: ({ sessionId }) => ({ query: { sessionId } }),
  reply: z
    .looseObject({ data: z.looseObject({ labels: labelsSchema }).nullish() })
    .transform((envelope) => envelope.data?.labels ?? {}),
};

const setLabelOperation: Operation<{ sessionId: string; labels: Labels }, void> = {
  name: "SetLabel",
  method: "POST",
  path: "/sdk/SetLabel",
  idempotent: true,
  goneCodes: sessionGoneCodes,
  innerVerdict: false,
  parts: ({ sessionId, labels }) => ({ query: { sessionId, Labels: encodeLabels(labels) }, labels }),
  reply: z.unknown().transform(() => undefined),
};

/**
 * Reads the labels of a session.
 *
 * @throws AgbNotFoundError when the session is gone
 */
export function getLabels(client: AgbClient, sessionId: string): Promise<Labels> {
  return client.call(getLabelOperation, { sessionId });
}

/**
 * Sets the labels of a session. AGB most likely replaces the whole set, as the tests of its sibling platform require. One
 * of AGB's documents speaks of merging, so read the labels back afterwards.
 *
 * @throws AgbNotFoundError when the session is gone
 */
export function setLabels(client: AgbClient, sessionId: string, labels: Labels): Promise<void> {
  return client.call(setLabelOperation, { sessionId, labels });
}

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
