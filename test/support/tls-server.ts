import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TlsOptions } from "node:tls";
import { closeAfterTest } from "./close-after-test";
import { sendSuccess } from "./scripted-server";

/** An HTTPS server on loopback that answers every request with success. */
export interface TlsServer {
  readonly url: string;
  /** Returns how many connections were opened, including those that failed. */
  connections(): number;
  /** Returns how many requests arrived. */
  requests(): number;
  close(): Promise<void>;
}

/** Starts a server that is closed after the test. */
export async function startTlsServer(options: TlsOptions): Promise<TlsServer> {
  let connections = 0;
  let requests = 0;
  const server = createServer(options, (_, response) => {
    requests++;
    sendSuccess(response);
  });
  server.on("connection", () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return closeAfterTest({
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    requests: () => requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}
