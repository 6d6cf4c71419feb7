import type { IncomingMessage, ServerResponse } from "node:http";
import { contextFilesPath } from "./contexts/file-urls";
import { transferFile } from "./contexts/transfer";
import { failureReply, jsonReply, type Outcome, type Reply, successReply } from "./envelope";
import { ApiFailure, notLoggedIn, stateNotSaved, tooManyRequests, unknownAction } from "./failures";
import type { FaultStep, Faults } from "./faults";
import { checkHost } from "./host-names";
import { newRequestId } from "./identifiers";
import { bearerKey, ClientGone, overBodyLimit, parseBody, parseTarget, readBody } from "./incoming";
import type { Journal } from "./journal";
import type { RateLimit } from "./rate-limit";
import { findRoute } from "./routes";
import type { Route, RouteContext } from "./routes/route";

/** What answering a request needs beside what the operations need. */
export interface ExchangeContext extends Omit<RouteContext, "origin"> {
  readonly faults: Faults;
  readonly journal: Journal;
  readonly rateLimit: RateLimit;
  acceptsKey(key: string): boolean;
  /** Identity of the state that the sessions are in; undefined when they end with this process. */
  emulatorId(): string | undefined;
  /** Resolves when all changes so far are on disk. */
  save(): Promise<void>;
  /** @throws Closing when the emulator is closed meanwhile */
  wait(ms: number): Promise<void>;
  isClosing(): boolean;
  /** Resolves when what follows from the end of sessions that are over by now is done. Never rejects. */
  settleSessions(): Promise<void>;
}

/** The emulator is closed while a request waits: the connection ends without a reply. */
export class Closing extends Error {
  override readonly name = "Closing";
}

const emulatorIdHeader = "x-agb-emulator-id";

type Delivery = Reply | "reset" | { readonly truncated: Reply };

interface Call {
  readonly incoming: IncomingMessage;
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly route: Route | undefined;
  sessionId?: string | undefined;
}

/** Answers one request and writes it down. Never rejects: whatever goes wrong becomes a reply, or the connection's end. */
export async function exchange(incoming: IncomingMessage, outgoing: ServerResponse, context: ExchangeContext) {
  const startedAtMs = performance.now();
  const method = incoming.method ?? "GET";
  const { path, query } = parseTarget(incoming.url ?? "/");
  if (path === contextFilesPath) {
    const requestId = newRequestId();
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
    // Only what looks like an id: a client may send anything here, also a secret.
    ...(call.sessionId !== undefined &&
      /^session-[a-z0-9]{1,40}$/.test(call.sessionId) && { sessionId: call.sessionId }),
  });
  try {
    deliver(outgoing, delivery, context.isClosing() || !incoming.complete, context.emulatorId());
  } catch {
    // A fault rule that was changed after it was checked. It must not take down the other sessions' service.
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
  const { before, after } = context.faults.meet(route.operation);
  await context.wait(before.delayMs);
  if (before.answer !== undefined) {
    return faulty(before.answer, requestId, successReply(requestId, {}));
  }
  const reply = await perform(call, route, body, context);
  await context.wait(after.delayMs);
  return after.answer === undefined ? reply : faulty(after.answer, requestId, reply);
}

// Catches refusals itself, so that a fault after the effect also replaces the reply to a refused request.
async function perform(call: Call, route: Route, body: string, context: ExchangeContext): Promise<Reply> {
  const { requestId } = call;
  try {
    const accepted = route.accept(call.query, route.method === "POST" ? parseBody(body) : {});
    call.sessionId = accepted.sessionId;
    const settling = context.settleSessions();
    if (accepted.usesContexts) {
      await settling;
    }
    const outcome = await accepted.run({ ...context, origin: `http://${call.incoming.headers.host}` });
    // A session that this request has ended must not run on until somebody asks for something else.
    void context.settleSessions();
    call.sessionId ??= sessionIn(outcome);
    if (route.writes) {
      await context.save().catch((error: Error) => {
        throw stateNotSaved(error.message);
      });
    }
    return successReply(requestId, outcome);
  } catch (error) {
    return refusal(requestId, error);
  }
}

function sessionIn(outcome: Outcome): string | undefined {
  return (outcome.data as { sessionId?: string } | undefined)?.sessionId;
}

function refusal(requestId: string, error: unknown): Reply {
  if (error instanceof ApiFailure) {
    return failureReply(requestId, error);
  }
  // A mistake in the emulator. It must not take down the other sessions' service.
  return failureReply(requestId, { status: 500, code: "InternalError", message: `Emulator failure: ${String(error)}` });
}

function faulty(answer: NonNullable<FaultStep["answer"]>, requestId: string, reply: Reply): Delivery {
  if (answer === "reset") {
    return "reset";
  }
  if (answer === "truncate") {
    return { truncated: reply };
  }
  const { status, body, headers } = answer;
  const base =
    body === undefined
      ? failureReply(requestId, { status, code: "InjectedFault", message: `Injected fault: HTTP ${status}.` })
      : jsonReply(status, requestId, body);
  const text =
    typeof body === "string"
      ? {
          body,
          headers: {
            ...base.headers,
            "content-type": /^\s*</.test(body) ? "text/html;charset=utf-8" : "text/plain;charset=utf-8",
          },
        }
      : {};
  const whole = { ...base, ...text };
  const given = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return { ...whole, headers: { ...whole.headers, ...Object.fromEntries(given) } };
}

function statusOf(delivery: Delivery): number {
  if (delivery === "reset") {
    return 0;
  }
  return "truncated" in delivery ? delivery.truncated.status : delivery.status;
}

function deliver(outgoing: ServerResponse, delivery: Delivery, isLast: boolean, emulatorId: string | undefined): void {
  if (delivery === "reset") {
    outgoing.socket?.resetAndDestroy();
    return;
  }
  const isTruncated = "truncated" in delivery;
  const reply = isTruncated ? delivery.truncated : delivery;
  const body = Buffer.from(reply.body);
  if (isLast) {
    outgoing.shouldKeepAlive = false;
  }
  outgoing.writeHead(reply.status, {
    "content-length": String(body.length),
    ...(emulatorId !== undefined && { [emulatorIdHeader]: emulatorId }),
    ...reply.headers,
  });
  if (isTruncated) {
    outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => outgoing.destroy());
  } else {
    outgoing.end(body);
  }
}
