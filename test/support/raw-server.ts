import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TlsOptions } from "node:tls";
import { closeAfterTest } from "./close-after-test";

/** Reads everything and never replies. Without reading it would not notice that the client is gone. */
export function staySilent(socket: Duplex): void {
  socket.resume();
}

/** A TCP server on loopback whose test decides what happens to a connection. */
export interface RawServer {
  readonly port: number;
  /** Every connection so far, closed ones included. */
  readonly sockets: readonly Socket[];
  /** Resolves when every connection so far is closed. */
  allClosed(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a server that ends with the test. */
export async function startRawServer(onConnection: (socket: Socket) => void): Promise<RawServer> {
  return listen(createServer(onConnection));
}

/** A proxy on loopback that counts the tunnels it is asked for. */
export interface TestProxy extends RawServer {
  readonly url: string;
  /** The `host:port` of every CONNECT so far. */
  readonly tunnels: readonly string[];
  /** The `Proxy-Authorization` of every CONNECT so far. */
  readonly credentials: readonly (string | undefined)[];
}

/**
 * Starts a proxy that ends with the test; `onTunnel` answers each CONNECT.
 *
 * @param certificate for a proxy that is itself reached over TLS
 */
export async function startProxy(onTunnel: (socket: Duplex) => void, certificate?: TlsOptions): Promise<TestProxy> {
  const tunnels: string[] = [];
  const credentials: (string | undefined)[] = [];
  const server = (certificate === undefined ? createHttpServer() : createHttpsServer(certificate)).on(
    "connect",
    (request, socket: Duplex) => {
      tunnels.push(request.url ?? "");
      credentials.push(request.headers["proxy-authorization"]);
      socket.on("error", () => socket.destroy());
      // Node leaves such a connection half open when the client ends its half.
      socket.on("end", () => socket.destroy());
      onTunnel(socket);
    },
  );
  const raw = await listen(server);
  return {
    ...raw,
    url: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${raw.port}`,
    tunnels,
    credentials,
  };
}

/** Answers a CONNECT with a tunnel to a port of this machine, whatever host it names. */
export function tunnelTo(port: number): (socket: Duplex) => void {
  return (socket) => {
    const onward = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    onward.on("error", () => socket.destroy());
    // Without its pipe it would stop reading and not notice the client's end.
    onward.on("close", () => socket.resume());
    socket.on("close", () => onward.destroy());
  };
}

async function listen(server: Server): Promise<RawServer> {
  const sockets: Socket[] = [];
  const closings: Promise<void>[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => socket.destroy());
    closings.push(new Promise((resolve) => socket.once("close", () => resolve())));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return closeAfterTest({
    port: (server.address() as AddressInfo).port,
    sockets,
    allClosed: async () => {
      await Promise.all(closings);
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) {
          socket.destroy();
        }
      }),
  });
}
