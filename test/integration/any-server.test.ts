import type { Duplex } from "node:stream";
import * as fc from "fast-check";
import { AgbError } from "../../provider/api/errors";
import { createSession, getSession } from "../../provider/api/sessions";
import { openClient } from "../support/agb-client";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { startProxy, startRawServer, tunnelTo } from "../support/raw-server";
import { setVariable } from "../support/set-variable";

withoutRetryDelay();

/** The steps that a server takes with a connection. */
type Step =
  | { readonly kind: "wait for data" | "close" | "reset" | "stall" }
  | { readonly kind: "write"; readonly bytes: string };

const envelope = '{"success":true,"code":"ok","requestId":"R","data":{"sessionId":"session-1"}}';
const head = (length: number) =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

const written = fc.constantFrom(
  head(envelope.length) + envelope,
  head(envelope.length + 1) + envelope,
  head(5) + envelope,
  head(envelope.length).slice(0, 30),
  `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"suc`,
  `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n${envelope}`,
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nupgrade: other\r\nconnection: upgrade\r\n\r\n",
  "HTTP/1.1 204 No Content\r\n\r\n",
  "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\n\r\n",
  "HTTP/1.1 429 Slow\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n",
  "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n",
  "\x16\x03\x03\x40\x00",
  "\r\n\r\n\r\n",
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: written.map((bytes) => ({ kind: "write" as const, bytes })) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: "binary", maxLength: 40 }).map((bytes) => ({ kind: "write" as const, bytes })),
  },
  { weight: 2, arbitrary: fc.constant({ kind: "wait for data" as const }) },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ kind: "close" }, { kind: "reset" }, { kind: "stall" }) },
);

const script = fc.array(step, { maxLength: 5 });

async function play(steps: readonly Step[], socket: Duplex): Promise<void> {
  const arrived = () => new Promise<void>((resolve) => socket.once("data", () => resolve()));
  socket.resume();
  for (const each of steps) {
    switch (each.kind) {
      case "wait for data":
        await arrived();
        break;
      case "write":
        socket.write(each.bytes, "latin1");
        break;
      case "close":
        socket.end();
        return;
      case "reset":
        socket.destroy();
        return;
      case "stall":
        return;
    }
  }
}

const limitMs = 150;
// Fails a call that does not end, with enough time for the busiest machine. The real duration is not tested.
const graceMs = 5_000;

test("whatever a server or a proxy does, a call ends with an AgbError and leaves no connection behind", async () => {
  await fc.assert(
    fc.asyncProperty(
      script,
      script,
      fc.constantFrom("directly", "with TLS", "through a proxy", "through a tunnel to it"),
      fc.boolean(),
      async (steps, proxySteps, way, isCreate) => {
        const server = await startRawServer((socket) => void play(steps, socket));
        const proxy = await startProxy(
          way === "through a proxy" ? (socket) => void play(proxySteps, socket) : tunnelTo(server.port),
        );
        setVariable("HTTP_PROXY", proxy.url);
        const isProxied = way.startsWith("through");
        const scheme = way === "with TLS" ? "https" : "http";
        const client = openClient(isProxied ? "http://agb.invalid" : `${scheme}://127.0.0.1:${server.port}`, {
          timeoutMs: limitMs,
        });
        const call = isCreate ? createSession(client, { imageId: "i", labels: {} }) : getSession(client, "session-1");
        const outcome = await endsWithin(
          limitMs + graceMs,
          call.then(
            () => "success",
            (error: unknown) => error,
          ),
        );
        if (outcome !== "success") {
          expect(outcome).toBeInstanceOf(AgbError);
        }
        expect(server.sockets.length).toBeLessThanOrEqual(5);
        expect(proxy.tunnels.length).toBeLessThanOrEqual(5);
        await endsWithin(graceMs, client.close());
        await endsWithin(graceMs, Promise.all([server.allClosed(), proxy.allClosed()]));
        await Promise.all([server.close(), proxy.close()]);
      },
    ),
    { numRuns: 60 },
  );
});

async function endsWithin<Result>(milliseconds: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not end within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
