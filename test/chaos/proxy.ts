import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** The faults of the proxy and how often each happens, in percent. All other requests pass. */
const faults = {
  /** The connection breaks before anything reaches the server. */
  "lost request": 3,
  /** The server handles the request, and the connection breaks before the reply. */
  "lost reply": 6,
  /** The connection breaks in the middle of the reply. */
  "half a reply": 3,
  /** The server handles the request, and the proxy answers with a page of its own. */
  "bad gateway": 3,
  "late request": 8,
  "late reply": 8,
} as const;

type Fault = keyof typeof faults;

const longestLagMs = 2_000;

/** An HTTP proxy in front of a server, with random faults. */
export interface ChaosProxy {
  readonly url: string;
  /** How often each fault happened so far. */
  readonly faultCounts: Readonly<Record<Fault, number>>;
  /** Turns the faults on or off. They are on at the start. */
  setFaulty(isFaulty: boolean): void;
  /** Resolves when no request is active. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy on loopback in front of a server. */
export async function startChaosProxy(target: string): Promise<ChaosProxy> {
  const faultCounts = Object.fromEntries(Object.keys(faults).map((fault) => [fault, 0])) as Record<Fault, number>;
  let hasFaults = true;
  let activeRequests = 0;
  const server = createServer(async (incoming, outgoing) => {
    activeRequests += 1;
    try {
      const fault = hasFaults ? chooseFault() : undefined;
      if (fault !== undefined) {
        faultCounts[fault] += 1;
      }
      await pass(target, incoming, outgoing, fault);
    } catch {
      outgoing.destroy();
    } finally {
      activeRequests -= 1;
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faultCounts,
    setFaulty(isFaulty) {
      hasFaults = isFaulty;
    },
    async idle() {
      while (activeRequests > 0) {
        await sleep(20);
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function chooseFault(): Fault | undefined {
  let rest = Math.random() * 100;
  for (const [fault, percent] of Object.entries(faults)) {
    rest -= percent;
    if (rest < 0) {
      return fault as Fault;
    }
  }
  return undefined;
}

async function pass(
  target: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
): Promise<void> {
  const body = await readBody(incoming);
  if (fault === "lost request") {
    outgoing.destroy();
    return;
  }
  if (fault === "late request") {
    await sleep(Math.random() * longestLagMs);
  }
  const reply = await forward(target, incoming, body);
  if (fault === "late reply") {
    await sleep(Math.random() * longestLagMs);
  }
  if (fault === "lost reply") {
    outgoing.destroy();
  } else if (fault === "bad gateway") {
    outgoing.writeHead(502, { "content-type": "text/html" }).end("<h1>502 Bad Gateway</h1>");
  } else if (fault === "half a reply") {
    outgoing.writeHead(reply.status, reply.headers);
    outgoing.write(reply.body.subarray(0, reply.body.length / 2), () => outgoing.destroy());
  } else {
    outgoing.writeHead(reply.status, reply.headers).end(reply.body);
  }
}

/** Forwards the request even if the client has disconnected, as a proxy that buffers requests does. */
function forward(target: string, incoming: IncomingMessage, body: Buffer) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>((resolve, reject) => {
    const { "transfer-encoding": _, connection: __, ...headers } = incoming.headers;
    const outgoing = request(
      new URL(incoming.url ?? "/", target),
      { method: incoming.method, headers: { ...headers, "content-length": String(body.length) } },
      (response) => {
        readBody(response).then(
          (text) => resolve({ status: response.statusCode ?? 502, headers: withoutConnection(response), body: text }),
          reject,
        );
      },
    );
    outgoing.on("error", reject).end(body);
  });
}

function withoutConnection({ headers }: IncomingMessage): NodeJS.Dict<string | string[]> {
  const { connection: _, "keep-alive": __, "transfer-encoding": ___, ...rest } = headers;
  return rest;
}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
