import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { closeAfterTest } from "./close-after-test";

/** A request with its whole body. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly socket: Socket;
}

/** Answers one request. `call` counts the requests from 1. */
export type Script = (request: ReceivedRequest, response: ServerResponse, call: number) => unknown;

/** An HTTP server on loopback that follows a test's script, for replies that the emulator cannot send. */
export interface ScriptedServer {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Returns the operations of the requests so far, such as `createSession`. */
  operations(): string[];
  close(): Promise<void>;
}

/** Starts a server that is closed after the test. */
export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) {
      chunks.push(chunk as Buffer);
    }
    const target = new URL(incoming.url ?? "/", "http://localhost");
    const request = {
      method: incoming.method ?? "",
      path: target.pathname,
      query: Object.fromEntries(target.searchParams),
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString(),
      socket: incoming.socket,
    };
    requests.push(request);
    await script(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return closeAfterTest({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    operations: () => requests.map(({ path }) => path.slice(path.lastIndexOf("/") + 1)),
    close: () => closeServer(server),
  });
}

/** Sends a reply as JSON. */
export function sendJson(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}) {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** Sends AGB's reply to a successful call. */
export function sendSuccess(response: ServerResponse, fields: Record<string, unknown> = {}): void {
  sendJson(response, { success: true, code: "ok", httpStatusCode: 200, requestId: "REQUEST-1", ...fields });
}

/** Sends AGB's reply to a refused call. */
export function sendRefusal(response: ServerResponse, code: string, message = "no", status = 400): void {
  sendJson(response, { success: false, code, message, httpStatusCode: status, requestId: "REQUEST-1" }, status);
}

/** Sends AGB's reply to a call of the tool `shell`. */
export function sendShellResult(response: ServerResponse, stdout: string, stderr = "", exitCode = 0): void {
  const text = JSON.stringify({ stdout, stderr, exit_code: exitCode });
  sendSuccess(response, { data: { isError: false, content: [{ type: "text", text }] } });
}

/** Returns an address where nothing listens. */
export async function deadAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await closeServer(server);
  return `127.0.0.1:${port}`;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
