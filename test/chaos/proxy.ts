import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What becomes of a request that goes through the proxy, and how often, in percent; the rest passes. */
const fates = {
  /** The connection breaks before anything reaches the server. */
  "lost request": 3,
  /** The server does its work, and the connection breaks instead of the reply. */
  "lost reply": 6,
  /** The connection breaks in the middle of the reply. */
  "half a reply": 3,
  /** A page of the proxy's own, although the server did its work. */
  "bad gateway": 3,
  "late request": 8,
  "late reply": 8,
} as const;

type Fate = keyof typeof fates;

const longestLagMs = 2_000;

/** An HTTP proxy in front of a server that treats requests badly at random. */
export interface ChaosProxy {
  readonly url: string;
  /** How often each fate struck so far. */
  readonly struck: Readonly<Record<Fate, number>>;
  /** From now on every request passes or, once more, does not. */
  setCalm(isCalm: boolean): void;
  /** Resolves when no request is under way. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy on loopback in front of a server. */
export async function startChaosProxy(target: string): Promise<ChaosProxy> {
  const struck = Object.fromEntries(Object.keys(fates).map((fate) => [fate, 0])) as Record<Fate, number>;
  let isCalm = false;
  let underWay = 0;
  const server = createServer(async (incoming, outgoing) => {
    underWay += 1;
    try {
      const fate = isCalm ? undefined : drawFate();
      if (fate !== undefined) {
        struck[fate] += 1;
      }
      await pass(target, incoming, outgoing, fate);
    } catch {
      outgoing.destroy();
    } finally {
      underWay -= 1;
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    struck,
    setCalm(calm) {
      isCalm = calm;
    },
    async idle() {
      while (underWay > 0) {
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

function drawFate(): Fate | undefined {
  let dice = Math.random() * 100;
  for (const [fate, percent] of Object.entries(fates)) {
    dice -= percent;
    if (dice < 0) {
      return fate as Fate;
    }
  }
  return undefined;
}

async function pass(
  target: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fate: Fate | undefined,
): Promise<void> {
  const body = await readBody(incoming);
  if (fate === "lost request") {
    outgoing.destroy();
    return;
  }
  if (fate === "late request") {
    await sleep(Math.random() * longestLagMs);
  }
  const reply = await forward(target, incoming, body);
  if (fate === "late reply") {
    await sleep(Math.random() * longestLagMs);
  }
  if (fate === "lost reply") {
    outgoing.destroy();
  } else if (fate === "bad gateway") {
    outgoing.writeHead(502, { "content-type": "text/html" }).end("<h1>502 Bad Gateway</h1>");
  } else if (fate === "half a reply") {
    outgoing.writeHead(reply.status, reply.headers);
    outgoing.write(reply.body.subarray(0, reply.body.length / 2), () => outgoing.destroy());
  } else {
    outgoing.writeHead(reply.status, reply.headers).end(reply.body);
  }
}

/** Sends the request on, also when the client has given up meanwhile, as a proxy that buffers requests does. */
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
