import type { Socket } from "node:net";
import { Client, type Dispatcher } from "undici";
import { ConnectError } from "./connection-failure";
import { openSocket, type Progress, type Route } from "./open-socket";

/** Connections to one endpoint that may be open at the same time. */
export const maximumConnections = 32;

/** Limit of the size of a reply, in bytes. The largest known reply, a full page of a list, is much smaller. */
export const largestReplyBytes = 4 * 1024 * 1024;

/** How long active calls may continue after the pool is closed, in milliseconds. */
const closingGraceMs = 2_000;

/**
 * The connections to one endpoint, kept alive between calls. A connection belongs to one call at a time. A call that
 * runs out of time ends its connection, or the attempt to open one, so nothing continues in the background.
 *
 * undici's own pools do not do: a request that waits for a connection there does not notice that it was aborted, and a
 * proxy that closes instead of opening a tunnel is asked again without a pause or an end.
 */
export class ConnectionPool {
  /** The most recently used connection is last and is used first, so the others can grow old and close. */
  private idle: Connection[] = [];
  private readonly waiting = new Set<() => void>();
  private readonly active = new Map<Promise<unknown>, Use>();
  private slots = maximumConnections;
  private isClosed = false;

  /** @param baseUrl base URL of the endpoint */
  constructor(
    private readonly baseUrl: string,
    private readonly route: Route,
  ) {}

  /**
   * Runs `work` over an idle connection or a new one. If it fails, the connection is closed.
   *
   * @param signal ends the work and its connection; the promise rejects immediately with the signal's reason
   * @param progress records each step until there is a connection
   * @throws ConnectError when no connection could be opened
   */
  async use<Result>(
    signal: AbortSignal,
    progress: Progress,
    work: (connection: Dispatcher) => Promise<Result>,
  ): Promise<Result> {
    if (this.isClosed) {
      throw closedError();
    }
    const own: Use = { ending: new AbortController(), isConnected: false };
    const abort = () => own.ending.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) {
      abort();
    }
    const outcome = this.useOne(own.ending.signal, progress, (connection) => {
      own.isConnected = true;
      return work(connection);
    });
    this.active.set(outcome, own);
    try {
      return await outcome;
    } finally {
      this.active.delete(outcome);
      signal.removeEventListener("abort", abort);
    }
  }

  /**
   * Closes all connections. Calls without a connection fail immediately, because nothing was sent. The others fail
   * unless they finish within two seconds.
   */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const connection of this.idle) {
      connection.end();
    }
    const endActive = (onlyUnconnected: boolean) => {
      for (const { ending, isConnected } of this.active.values()) {
        if (!isConnected || !onlyUnconnected) {
          ending.abort(closedError());
        }
      }
    };
    endActive(true);
    const grace = setTimeout(endActive, closingGraceMs, false);
    await Promise.allSettled(this.active.keys());
    clearTimeout(grace);
  }

  private async useOne<Result>(
    signal: AbortSignal,
    progress: Progress,
    work: (connection: Dispatcher) => Promise<Result>,
  ): Promise<Result> {
    await this.takeSlot(signal, progress);
    try {
      const connection = this.takeIdle() ?? (await this.connect(signal, progress));
      try {
        const result = await unlessAborted(work(connection.client), signal);
        this.giveBack(connection);
        return result;
      } catch (error) {
        connection.end();
        throw error;
      }
    } finally {
      this.freeSlot();
    }
  }

  private async connect(signal: AbortSignal, progress: Progress): Promise<Connection> {
    const socket = await openSocket(this.route, signal, progress);
    const connection = new Connection(this.baseUrl, socket);
    socket.once("close", () => {
      this.idle = this.idle.filter((each) => each !== connection);
    });
    return connection;
  }

  private async takeSlot(signal: AbortSignal, progress: Progress): Promise<void> {
    signal.throwIfAborted();
    if (this.slots > 0) {
      this.slots--;
      return;
    }
    progress.step = `waiting until one of ${maximumConnections} connections is free`;
    let admit: () => void = ignore;
    const admitted = new Promise<void>((resolve) => {
      admit = resolve;
    });
    this.waiting.add(admit);
    try {
      await unlessAborted(admitted, signal);
    } catch (error) {
      if (!this.waiting.delete(admit)) {
        // A slot was assigned at the same moment.
        this.freeSlot();
      }
      throw error;
    }
  }

  private freeSlot(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.slots++;
    } else {
      this.waiting.delete(next);
      next();
    }
  }

  private takeIdle(): Connection | undefined {
    for (let connection = this.idle.pop(); connection !== undefined; connection = this.idle.pop()) {
      if (connection.isUsable()) {
        return connection;
      }
      connection.end();
    }
    return undefined;
  }

  private giveBack(connection: Connection): void {
    if (this.isClosed || !connection.isUsable()) {
      connection.end();
      return;
    }
    this.idle.push(connection);
  }
}

/** One call that uses the pool. */
interface Use {
  readonly ending: AbortController;
  isConnected: boolean;
}

/** One connection and the HTTP client that uses only this connection. */
class Connection {
  readonly client: Client;

  constructor(
    baseUrl: string,
    private readonly socket: Socket,
  ) {
    let isHandedOver = false;
    this.client = new Client(new URL(baseUrl).origin, {
      maxResponseSize: largestReplyBytes,
      connect: (_, callback) => {
        const isFirst = !isHandedOver;
        isHandedOver = true;
        // undici expects the callback after this function has returned.
        queueMicrotask(() => (isFirst ? callback(null, socket) : callback(lostError(), null)));
      },
    });
  }

  isUsable(): boolean {
    return !this.socket.destroyed && this.socket.readable && this.socket.writable;
  }

  end(): void {
    this.client.destroy().catch(ignore);
    this.socket.destroy();
  }
}

/** Waits for a result, or rejects when the signal is aborted. */
function unlessAborted<Result>(result: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) {
      abort();
    }
    result.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function closedError(): ConnectError {
  return new ConnectError({ reason: "the client was closed", lasting: true });
}

function lostError(): ConnectError {
  return new ConnectError({ reason: "it was closed before the request was sent", lasting: false });
}

function ignore(): void {}
