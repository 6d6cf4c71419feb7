// The endpoints under /_emulator/, one row each. They return plain JSON. A refusal is an envelope like those of AGB's
// operations, and names the field at fault.

import { z } from "zod";
import { faultNotFound, invalidRequest, sessionNotFound } from "../failures";
import { type FaultRule, faultRuleSchema } from "../faults";
import { isLabels, type Labels } from "../labels";
import { check } from "../routes/route";
import { type AdminSubject, viewClock, viewContexts, viewFaults, viewRequests, viewSessions } from "./view";

/** A request to an endpoint: the id in the path, if there is one, and the JSON body. */
export interface AdminCall {
  readonly id: string;
  readonly body: unknown;
}

/** One row of the endpoint table. */
export interface AdminEndpoint {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** The path below /_emulator/. `:id` stands for one part of it. */
  readonly path: string;
  /** What it is for, for the documentation. */
  readonly purpose: string;
  /** @throws ApiFailure whose message names the field at fault */
  handle(call: AdminCall, subject: AdminSubject): unknown;
}

const yearMs = 366 * 24 * 60 * 60 * 1000;
const nothing = z.strictObject({});
const advance = z.strictObject({
  advanceMs: z
    .number({ error: "is required and must be a number of milliseconds" })
    .positive({ error: "must be more than 0" })
    .max(yearMs, { error: "must be at most a year in milliseconds" }),
});
const newLabels = z.strictObject({
  labels: z.custom<Labels>(isLabels, { error: "is required and must be an object of strings" }),
});

/** All endpoints. */
export const endpoints: readonly AdminEndpoint[] = [
  {
    method: "GET",
    path: "clock",
    purpose: "The emulator's time.",
    handle: (_call, subject) => viewClock(subject),
  },
  {
    method: "POST",
    path: "clock",
    purpose: 'Moves the clock ahead: `{"advanceMs": 60000}`.',
    async handle({ body }, subject) {
      const { advanceMs } = check(advance, body);
      await subject.emulator.advanceClock(advanceMs).catch((error: unknown) => {
        throw error instanceof RangeError
          ? invalidRequest("advanceMs: would move the clock beyond the range of dates")
          : error;
      });
      return viewClock(subject);
    },
  },
  {
    method: "GET",
    path: "sessions",
    purpose: "All sessions that are running or being released, newest first.",
    handle: (_call, subject) => viewSessions(subject, Number.POSITIVE_INFINITY),
  },
  {
    method: "PUT",
    path: "sessions/:id/labels",
    purpose: 'Replaces a session\'s labels behind its owner\'s back: `{"labels": {"team": "web"}}`.',
    async handle({ id, body }, subject) {
      const { labels } = check(newLabels, body);
      requireRunning(subject, id);
      await subject.emulator.setLabels(id, labels);
      return { labels };
    },
  },
  {
    method: "DELETE",
    path: "sessions/:id",
    purpose: "Releases a session behind its owner's back.",
    async handle({ id, body }, subject) {
      check(nothing, body);
      requireRunning(subject, id);
      await subject.emulator.release(id);
      return {};
    },
  },
  {
    method: "GET",
    path: "contexts",
    purpose: "All contexts with their files, newest first.",
    handle: (_call, subject) => viewContexts(subject),
  },
  {
    method: "GET",
    path: "requests",
    purpose: "The last 200 requests, newest first.",
    handle: (_call, subject) => viewRequests(subject),
  },
  {
    method: "GET",
    path: "faults",
    purpose: "The fault rules, and how many calls each of them has affected.",
    handle: (_call, subject) => viewFaults(subject),
  },
  {
    method: "POST",
    path: "faults",
    purpose: 'Adds a fault rule, see below: `{"operation": "ListSession", "answer": {"status": 503}}`.',
    handle({ body }, { emulator }) {
      // Checked here for a message that names the field. The emulator fills in the defaults.
      check(faultRuleSchema, body);
      const { id, struck, rule } = emulator.addFault(body as FaultRule);
      return { id, struck, ...rule };
    },
  },
  {
    method: "DELETE",
    path: "faults",
    purpose: "Removes all fault rules.",
    handle(_call, { emulator }) {
      emulator.clearFaults();
      return {};
    },
  },
  {
    method: "DELETE",
    path: "faults/:id",
    purpose: "Removes one fault rule.",
    handle({ id }, { emulator }) {
      const fault = emulator.faults().find((candidate) => String(candidate.id) === id);
      if (fault === undefined) {
        throw faultNotFound(id);
      }
      fault.remove();
      return {};
    },
  },
  {
    method: "POST",
    path: "reset",
    purpose: "Removes all sessions and contexts, and resets fault rules, keys and the clock to the options.",
    async handle({ body }, { emulator }) {
      check(nothing, body);
      await emulator.reset();
      return {};
    },
  },
];

/** The endpoint of a method and a path below /_emulator/, and the id in the path. */
export function findEndpoint(method: string, path: string): { endpoint: AdminEndpoint; id: string } | undefined {
  const parts = path.split("/");
  for (const endpoint of endpoints) {
    const pattern = endpoint.path.split("/");
    if (
      endpoint.method === method &&
      pattern.length === parts.length &&
      pattern.every((part, index) => part === ":id" || part === parts[index])
    ) {
      return { endpoint, id: parts[pattern.indexOf(":id")] ?? "" };
    }
  }
  return undefined;
}

function requireRunning({ emulator }: AdminSubject, sessionId: string): void {
  const isRunning = emulator.sessions().some((each) => each.sessionId === sessionId && each.state === "RUNNING");
  if (!isRunning) {
    throw sessionNotFound();
  }
}
