import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { failureReply } from "./envelope";
import { newRequestId } from "./identifiers";
import { EmulatorStartError } from "./start-error";

// Labels are sent in the URL. 20 of the longest ones, percent-encoded, need far more than Node's 16 KiB.
const headerLimitBytes = 128 * 1024;
// Longer than clients keep a connection, so that none is closed while a client reuses it.
const keepAliveMs = 65_000;
const closeGraceMs = 500;

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  /** Takes at most half a second, whatever the clients do. */
  close(): Promise<void>;
}

/**
 * Starts a server on an address of this computer.
 *
 * @param host an IP address, or a name for one
 * @throws EmulatorStartError with code PORT_UNAVAILABLE
 */
export async function listen(
  port: number,
  host: string,
  answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
): Promise<RunningServer> {
  // A missing Host header must get an envelope too, which Node's own check does not send.
  const server = createServer({ maxHeaderSize: headerLimitBytes, requireHostHeader: false }, answer);
  server.keepAliveTimeout = keepAliveMs;
  server.on("checkExpectation", answer);
  server.on("clientError", answerUnreadable);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(portError(port, host, error)));
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const grace = setTimeout(() => server.closeAllConnections(), closeGraceMs);
    server.close(() => {
      clearTimeout(grace);
      resolve();
    });
    server.closeIdleConnections();
  });
}

// What is not HTTP, or too long to read, never becomes a request object, so its reply is written by hand.
function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? [431, "Request Header Fields Too Large"]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, "Request Timeout"]
        : [400, "Bad Request"];
  const reply = failureReply(newRequestId(), {
    status: status as number,
    code: "InvalidRequest",
    message: `The request is not readable as HTTP: ${reason}.`,
  });
  const headers = { ...reply.headers, "content-length": String(Buffer.byteLength(reply.body)), connection: "close" };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${reason}`, ...head, "", reply.body].join("\r\n"));
}

function portError(port: number, host: string, error: NodeJS.ErrnoException): EmulatorStartError {
  const problem =
    error.code === "EADDRINUSE"
      ? `Port ${port} on ${host} is already in use. Choose another port, or 0 for a free one.`
      : `Cannot listen on port ${port} of ${host}: ${error.message}. Choose another port or host.`;
  return new EmulatorStartError("PORT_UNAVAILABLE", problem, { cause: error });
}
