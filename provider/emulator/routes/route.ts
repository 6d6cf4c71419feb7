import { z } from "zod";
import type { Clock } from "../clock";
import type { ContextRecord } from "../contexts/context-record";
import type { ContextStore } from "../contexts/context-store";
import type { Synchronizer } from "../contexts/synchronizer";
import type { Outcome } from "../envelope";
import { contextNotFound, invalidRequest, sessionNotFound } from "../failures";
import type { OperationName } from "../operations";
import type { Settings } from "../options";
import type { Sandboxes } from "../sandbox/sandboxes";
import type { SessionRecord } from "../sessions/session";
import type { SessionStore } from "../sessions/session-store";

/** What a handler works with. */
export interface RouteContext {
  readonly clock: Clock;
  readonly sessions: SessionStore;
  readonly contexts: ContextStore;
  /** Signs the addresses of files. */
  readonly fileSecret: string;
  readonly synchronizer: Synchronizer;
  /** Undefined if no tools are allowed. */
  readonly sandboxes: Sandboxes | undefined;
  readonly settings: Settings;
  /** Where the client reached the emulator, such as `http://127.0.0.1:8080`. */
  readonly origin: string;
  /** Resolves when no session that is over still uploads into one of the contexts. */
  waitForUploadsInto(contextIds: readonly string[]): Promise<void>;
}

/** A request with checked parameters. */
export interface AcceptedCall {
  /** The session it names, if it names one. */
  readonly sessionId: string | undefined;
  /** Whether its reply has to wait until all changes are on disk. */
  readonly writes: boolean;
  /** @throws ApiFailure when the operation is refused */
  run(context: RouteContext): Promise<Outcome>;
}

/** One row of the route table. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly operation: OperationName;
  /** @throws ApiFailure (HTTP 400) whose message names the field at fault */
  accept(query: Record<string, string>, body: unknown): AcceptedCall;
}

/** The checked parameters of a request. */
interface Input<Query extends z.ZodType, Body extends z.ZodType> {
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
}

interface RouteDefinition<Query extends z.ZodType, Body extends z.ZodType> extends Omit<Route, "accept"> {
  readonly query: Query;
  readonly body: Body;
  /** Whether it changes the state, so that its reply has to wait for the disk. */
  readonly writes: boolean | ((input: Input<Query, Body>) => boolean);
  /** Ids of the contexts whose files it reads or changes. It waits for uploads of ended sessions into them. @default none */
  usesContexts?(input: Input<Query, Body>, context: RouteContext): readonly string[];
  handle(input: Input<Query, Body>, context: RouteContext): Outcome | Promise<Outcome>;
}

/** Builds a row of the route table from its parts and keeps the types of query and body for its handler. */
export function route<Query extends z.ZodType, Body extends z.ZodType>(
  definition: RouteDefinition<Query, Body>,
): Route {
  const { query: querySchema, body: bodySchema, writes, usesContexts, handle, ...row } = definition;
  return {
    ...row,
    accept(rawQuery, rawBody) {
      const input = { query: check(querySchema, rawQuery), body: check(bodySchema, rawBody) };
      return {
        sessionId: namedSession(input.query) ?? namedSession(input.body),
        writes: typeof writes === "function" ? writes(input) : writes,
        async run(context) {
          const contextIds = usesContexts?.(input, context) ?? [];
          if (contextIds.length > 0) {
            await context.waitForUploadsInto(contextIds);
          }
          return handle(input, context);
        },
      };
    },
  };
}

/** For a part of the request without parameters. Its content is ignored. */
export const nothing = z.unknown();

/** A string that must be there and not be blank. */
export const requiredString = z
  .string({ error: "is required and must be a string" })
  .refine((text) => text.trim() !== "", {
    error: "must not be blank",
  });

/** Most operations name only a session, some in the body and some in the query. */
export const sessionParameter = z.object({ sessionId: requiredString });

/** @throws ApiFailure (InvalidMcpSession.NotFound) unless the session is running */
export function requireRunning(sessions: SessionStore, sessionId: string): SessionRecord {
  const record = sessions.running(sessionId);
  if (record === undefined) {
    throw sessionNotFound();
  }
  return record;
}

/** @throws ApiFailure (InvalidContext.NotFound) unless the context exists */
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
