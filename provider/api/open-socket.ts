/**
 * Opens one connection to an endpoint: TCP, a tunnel if there is a proxy, TLS. Takes each step once, stops as soon as its
 * signal is aborted, and leaves no socket behind when it fails. Sends no part of a call.
 */
import { request } from "node:http";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ConnectError, type ConnectionFailure, describeProblem, explainConnectionFailure } from "./connection-failure";
import type { HttpProxy } from "./proxy";

/** How to reach an endpoint. */
export interface Route {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly proxy: HttpProxy | undefined;
}

/** The progress of a call. */
export interface Progress {
  /** The current step, such as `looking up agb.example`. */
  step: string;
}

/** Limit of opening one connection, in milliseconds. A call may then retry in the time that it has left. */
export const connectTimeoutMs = 10_000;

/** Returns the route to a base URL. */
export function routeTo(baseUrl: string, proxy: HttpProxy | undefined): Route {
  const { protocol, hostname, port } = new URL(baseUrl);
  const tls = protocol === "https:";
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) || (tls ? 443 : 80), tls, proxy };
}

/**
 * Opens a connection.
 *
 * @param signal ends the attempt; the promise rejects immediately with the signal's reason
 * @param progress records each step
 * @throws ConnectError when the connection failed, or took longer than `connectTimeoutMs`
 */
export async function openSocket(route: Route, signal: AbortSignal, progress: Progress): Promise<Socket> {
  signal.throwIfAborted();
  const sockets: Socket[] = [];
  let isOver = false;
  const keep = (socket: Socket): Socket => {
    socket.on("error", ignore);
    sockets.push(socket);
    return isOver ? socket.destroy() : socket;
  };
  let stop: (reason: unknown) => void = ignore;
  const stopped = new Promise<never>((_, reject) => {
    stop = reject;
  });
  const abort = () => stop(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  // Data that has arrived is read before the attempt counts as failed, because this process may have been slow.
  const limit = setTimeout(() => setImmediate(() => stop(new ConnectError(lateness(progress)))), connectTimeoutMs);
  try {
    return await Promise.race([takeSteps(route, keep, progress), stopped]);
  } catch (error) {
    isOver = true;
    for (const socket of sockets.reverse()) {
      socket.destroy();
    }
    throw error;
  } finally {
    clearTimeout(limit);
    signal.removeEventListener("abort", abort);
  }
}

async function takeSteps(route: Route, keep: (socket: Socket) => Socket, progress: Progress): Promise<Socket> {
  const { proxy } = route;
  const target = authority(route);
  if (proxy === undefined) {
    const explain = (error: unknown) => fail(explainConnectionFailure(error, false), error);
    const socket = await openTcp(route, target, keep, progress).catch(explain);
    return route.tls ? startTls(socket, route.host, target, keep, progress).catch(explain) : socket;
  }
  const explainProxy = (error: unknown) => fail(explainConnectionFailure(error, false, proxy), error);
  let socket = await openTcp(proxy, proxy.label, keep, progress).catch(explainProxy);
  if (proxy.tls) {
    socket = await startTls(socket, proxy.host, proxy.label, keep, progress).catch(explainProxy);
  }
  progress.step = `waiting for ${proxy.label} to open a tunnel to ${target}`;
  await openTunnel(socket, proxy, target);
  if (!route.tls) {
    return socket;
  }
  return startTls(socket, route.host, target, keep, progress).catch((error: unknown) => {
    const failure = explainConnectionFailure(error, false);
    return fail({ ...failure, reason: `${failure.reason}. The connection went through ${proxy.label}` }, error);
  });
}

function openTcp(
  { host, port }: { host: string; port: number },
  name: string,
  keep: (socket: Socket) => Socket,
  progress: Progress,
): Promise<Socket> {
  const connecting = `connecting to ${name}`;
  progress.step = isIP(host) === 0 ? `looking up ${host}` : connecting;
  const socket = keep(connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }));
  socket.once("lookup", () => {
    progress.step = connecting;
  });
  return ready(socket, "connect");
}

function startTls(
  socket: Socket,
  host: string,
  name: string,
  keep: (socket: Socket) => Socket,
  progress: Progress,
): Promise<Socket> {
  progress.step = `negotiating TLS with ${name}`;
  // TLS does not allow an IP address as a server name.
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return ready(keep(connectTls({ socket, host, ...servername, ALPNProtocols: ["http/1.1"] })), "secureConnect");
}

/** @throws ConnectError when the proxy refuses, or closes the connection */
async function openTunnel(socket: Socket, proxy: HttpProxy, target: string): Promise<void> {
  const { statusCode, head } = await new Promise<{ statusCode: number; head: Buffer }>((resolve, reject) => {
    request({
      method: "CONNECT",
      path: target,
      headers: {
        host: target,
        connection: "keep-alive",
        "proxy-connection": "keep-alive",
        ...(proxy.authorization !== undefined && { "proxy-authorization": proxy.authorization }),
      },
      createConnection: () => socket,
    })
      .once("connect", ({ statusCode = 0 }, _, head) => resolve({ statusCode, head }))
      .on("error", reject)
      .end();
  }).catch((error: unknown) => {
    const problem = describeProblem(error);
    const closed = problem === "socket hang up" ? "it closed the connection" : problem;
    return fail({ reason: tunnelProblem(proxy, target, closed), lasting: false, obstacle: "proxy" }, error);
  });
  if (statusCode < 200 || statusCode > 299) {
    throw new ConnectError(tunnelRefusal(proxy, target, statusCode));
  }
  if (head.length > 0) {
    socket.unshift(head);
  }
}

function tunnelRefusal(proxy: HttpProxy, target: string, status: number): ConnectionFailure {
  const answer = `it answered HTTP ${status}`;
  if (status === 407) {
    const remedy = "Put the right user name and password into the variable, such as http://user:password@host:port";
    return { reason: tunnelProblem(proxy, target, answer, remedy), lasting: true, obstacle: "proxy" };
  }
  const lasting = status < 500 && status !== 408 && status !== 429;
  return { reason: tunnelProblem(proxy, target, answer), lasting, obstacle: "proxy" };
}

function tunnelProblem({ label }: HttpProxy, target: string, problem: string, remedy?: string): string {
  const host = target.replace(/:\d+$/, "");
  const usualRemedy = `Allow this host in the proxy, or list ${host} in NO_PROXY to bypass the proxy`;
  return `${label} did not open a tunnel to ${target}: ${problem}. ${remedy ?? usualRemedy}`;
}

/** Waits for an event of a socket. Rejects if the socket fails or closes first. */
function ready(socket: Socket, event: "connect" | "secureConnect"): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve(socket));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
  });
}

function fail(failure: ConnectionFailure, cause: unknown): never {
  throw new ConnectError(failure, { cause });
}

function lateness({ step }: Progress): ConnectionFailure {
  return { reason: `it took longer than ${connectTimeoutMs} ms. Last step: ${step}`, lasting: false };
}

function authority({ host, port }: { host: string; port: number }): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

function ignore(): void {}
