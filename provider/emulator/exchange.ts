// One request and its reply: host, key, rate limit, fault rules, the operation, the journal.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { FileContents } from "./contexts/file-contents";
import { contextFilesPath } from "./contexts/file-urls";
import { transferFile } from "./contexts/transfer";
import { type Delivery, deliver, faultyDelivery, statusOf } from "./delivery";
import { failureReply, type Outcome, type Reply, successReply } from "./envelope";
import { ApiFailure, notLoggedIn, stateNotSaved, tooManyRequests, unknownAction } from "./failures";
import type { Faults } from "./faults";
import { checkHost } from "./host-names";
import { newRequestId } from "./identifiers";
import { bearerKey, ClientGone, overBodyLimit, parseBody, parseTarget, readBody } from "./incoming";
import type { Journal } from "./journal";
import type { RateLimit } from "./rate-limit";
import { findRoute } from "./routes";
import type { Route, RouteContext } from "./routes/route";

/** What answering a request needs in addition to what the operations need. */
export interface ExchangeContext extends Omit<RouteContext, "origin"> {
  readonly contents: FileContents;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly rateLimit: RateLimit;
  /** Identity of the state that the sessions are in; undefined when they end with this process. */
  readonly emulatorId: string | undefined;
  /** Aborted when the emulator closes. */
  readonly closing: AbortSignal;
  acceptsKey(key: string): boolean;
  /** Resolves when all changes so far are on disk. */
  save(): Promise<void>;
  /** Saves if the last save failed, because a reply must not show what could not be saved. */
  saveAfterFailure(): Promise<void>;
  /** @throws Closing when the emulator is closed during the wait */
  wait(ms: number): Promise<void>;
  /** Begins to end the sandboxes of sessions that are over by now. Resolves when that is done. Never rejects. */
  endSandboxes(): Promise<void>;
}

/** The emulator is closed while a request waits. The connection ends without a reply. */
export class Closing extends Error {
  override readonly name = "Closing";
}

const emulatorIdHeader = "x-agb-emulator-id";

interface Call {
  readonly incoming: IncomingMessage;
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly route: Route | undefined;
  sessionId?: string | undefined;
}

/** Answers one request and adds it to the journal. Never rejects: a failure becomes a reply, or the connection's end. */
export async function exchange(incoming: IncomingMessage, outgoing: ServerResponse, context: ExchangeContext) {
  const startedAtMs = performance.now();
  const method = incoming.method ?? "GET";
  const { path, query } = parseTarget(incoming.url ?? "/");
  if (path === contextFilesPath) {
    const requestId = newRequestId();
    void context.endSandboxes();
    const status = await transferFile(incoming, outgoing, query, requestId, context);
    const durationMs = performance.now() - startedAtMs;
    context.journal.add({ operation: "contextFile", method, path, status, durationMs, requestId });
    return;
  }
  const call: Call = { incoming, requestId: newRequestId(), method, path, query, route: findRoute(method, path) };
  let delivery: Delivery;
  try {
    delivery = await decide(call, context);
  } catch (error) {
    if (error instanceof ClientGone || error instanceof Closing) {
      outgoing.destroy();
      return;
    }
    delivery = refusal(call.requestId, error);
  }
  context.journal.add({
    operation: call.route?.operation ?? "unknown",
    method,
    path: path.slice(0, 200),
    status: statusOf(delivery),
    durationMs: performance.now() - startedAtMs,
    requestId: call.requestId,
    // Only what looks like an id. A client may send anything here, also a secret.
    ...(call.sessionId !== undefined &&
      /^session-[a-z0-9]{1,40}$/.test(call.sessionId) && { sessionId: call.sessionId }),
  });
  if (context.closing.aborted || !incoming.complete) {
    outgoing.shouldKeepAlive = false;
  }
  try {
    const { emulatorId } = context;
    deliver(outgoing, delivery, emulatorId === undefined ? {} : { [emulatorIdHeader]: emulatorId });
  } catch {
    // A fault rule that was changed after it was checked. It must not stop the service for the other sessions.
    outgoing.destroy();
  }
}

async function decide(call: Call, context: ExchangeContext): Promise<Delivery> {
  const { incoming, requestId, route } = call;
  const body = await readBody(incoming);
  await context.wait(context.settings.latencyMs);
  checkHost(incoming.headers.host, context.settings.host);
  const key = bearerKey(incoming.headers.authorization);
  if (key === undefined || !context.acceptsKey(key)) {
    throw notLoggedIn();
  }
  const retryAfterSeconds = context.rateLimit.take();
  if (retryAfterSeconds > 0) {
    throw tooManyRequests(context.settings.requestsPerSecond ?? 0, retryAfterSeconds);
  }
  if (body === undefined) {
    throw overBodyLimit();
  }
  if (route === undefined) {
    throw unknownAction(call.method, call.path);
  }
  const { before, after } = context.faults.countCall(route.operation);
  await context.wait(before.delayMs);
  if (before.answer !== undefined) {
    return faultyDelivery(before.answer, requestId, successReply(requestId, {}));
  }
  const reply = await perform(call, route, body, context);
  await context.wait(after.delayMs);
  return after.answer === undefined ? reply : faultyDelivery(after.answer, requestId, reply);
}

// Turns refusals into replies itself, so that a fault after the effect also replaces the reply to a refused request.
async function perform(call: Call, route: Route, body: string, context: ExchangeContext): Promise<Reply> {
  const { requestId } = call;
  let reply: Reply;
  // A refusal waits for the disk, too: what it does not find may have been deleted by a change that is being written.
  let waitsForDisk = true;
  try {
    const accepted = route.accept(call.query, route.method === "POST" ? parseBody(body) : {});
    call.sessionId = accepted.sessionId;
    void context.endSandboxes();
    const outcome = await accepted.run({ ...context, origin: `http://${call.incoming.headers.host}` });
    // A session that this request has ended must not run on until the next request.
    void context.endSandboxes();
    call.sessionId ??= sessionIn(outcome);
    reply = successReply(requestId, outcome);
    waitsForDisk = accepted.writes;
  } catch (error) {
    reply = refusal(requestId, error);
  }
  try {
    await (waitsForDisk ? context.save() : context.saveAfterFailure());
    return reply;
  } catch (error) {
    return refusal(requestId, stateNotSaved((error as Error).message));
  }
}

function sessionIn(outcome: Outcome): string | undefined {
  return (outcome.data as { sessionId?: string } | undefined)?.sessionId;
}

function refusal(requestId: string, error: unknown): Reply {
  if (error instanceof ApiFailure) {
    return failureReply(requestId, error);
  }
  // A mistake in the emulator. It must not stop the service for the other sessions.
  return failureReply(requestId, { status: 500, code: "InternalError", message: `Emulator failure: ${String(error)}` });
}
