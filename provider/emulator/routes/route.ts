import { z } from "zod";
import type { Clock } from "../clock";
import type { ContextFolder } from "../contexts/context-folder";
import type { ContextRecord } from "../contexts/context-record";
import type { ContextStore } from "../contexts/context-store";
import type { Synchronizer } from "../contexts/synchronizer";
import type { Outcome } from "../envelope";
import { contextNotFound, invalidRequest, sessionNotFound } from "../failures";
import type { OperationName } from "../operations";
import type { Settings } from "../options";
import type { Sandboxes } from "../sandbox/sandboxes";
import type { SessionRecord } from "../session";
import type { SessionStore } from "../store";

/** What a handler works with. */
export interface RouteContext {
  readonly clock: Clock;
  readonly store: SessionStore;
  readonly contexts: ContextStore;
  /** Has to be told to save what a handler changed in `contexts`. */
  readonly contextFolder: ContextFolder;
  readonly synchronizer: Synchronizer;
  /** undefined when no tools are allowed. */
  readonly sandboxes: Sandboxes | undefined;
  readonly settings: Settings;
  /** Where the client reached the emulator, such as `http://127.0.0.1:8080`. */
  readonly origin: string;
}

/** A request whose parameters have been checked. */
export interface AcceptedCall {
  /** The session it names, if it names one. */
  readonly sessionId: string | undefined;
  /** Whether it has to wait until sessions that are over have uploaded what they mounted. */
  readonly usesContexts: boolean;
  /** @throws ApiFailure when the operation is refused */
  run(context: RouteContext): Outcome | Promise<Outcome>;
}

/** One row of the route table. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly operation: OperationName;
  /** Whether it changes sessions, so that its reply has to wait for the disk. Contexts are saved by the handlers. */
  readonly writes: boolean;
  /** @throws ApiFailure (HTTP 400) whose message names the field at fault */
  accept(query: Record<string, string>, body: unknown): AcceptedCall;
}

interface RouteDefinition<Query extends z.ZodType, Body extends z.ZodType> extends Omit<Route, "accept"> {
  readonly query: Query;
  readonly body: Body;
  /** Whether it reads or changes contexts; for some that depends on the body. @default false */
  readonly usesContexts?: boolean | ((body: z.output<Body>) => boolean);
  handle(input: { query: z.output<Query>; body: z.output<Body> }, context: RouteContext): Outcome | Promise<Outcome>;
}

/** Makes a row of the route table from its parts, keeping the types of query and body for its handler. */
export function route<Query extends z.ZodType, Body extends z.ZodType>(
  definition: RouteDefinition<Query, Body>,
): Route {
  const { query: querySchema, body: bodySchema, usesContexts = false, handle, ...row } = definition;
  return {
    ...row,
    accept(rawQuery, rawBody) {
      const query = check(querySchema, rawQuery);
      const body = check(bodySchema, rawBody);
      return {
        sessionId: namedSession(query) ?? namedSession(body),
        usesContexts: typeof usesContexts === "function" ? usesContexts(body) : usesContexts,
        run: (context) => handle({ query, body }, context),
      };
    },
  };
}

/** No parameters in this part of the request; whatever is there is ignored. */
export const nothing = z.unknown();

/** A text that must be there and not be blank. */
export const requiredText = z.string({ error: "is required and must be a text" }).refine((text) => text.trim() !== "", {
  error: "must not be blank",
});

/** Most operations name nothing but a session, some in the body and some in the query. */
export const sessionParameter = z.object({ sessionId: requiredText });

/** @throws ApiFailure (InvalidMcpSession.NotFound) unless the session is running */
export function requireRunning(store: SessionStore, sessionId: string): SessionRecord {
  const record = store.running(sessionId);
  if (record === undefined) {
    throw sessionNotFound();
  }
  return record;
}

/** @throws ApiFailure (InvalidContext.NotFound) when the context is not there */
export function requireContext(contexts: ContextStore, contextId: string): ContextRecord {
  const record = contexts.find(contextId);
  if (record === undefined) {
    throw contextNotFound();
  }
  return record;
}

/** @throws ApiFailure (HTTP 400) whose message names the field at fault */
export function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) {
    throw invalidRequest(
      result.error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`).join("; "),
    );
  }
  return result.data;
}

function namedSession(parameters: unknown): string | undefined {
  const sessionId = (parameters as { sessionId?: unknown } | undefined)?.sessionId;
  return typeof sessionId === "string" ? sessionId : undefined;
}
