import { createServer } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Certificate } from "./certificate";

/** A server from which Pulumi installs plugins. */
export interface ArchiveServer {
  readonly url: string;
  /** What it offers, by name. Tests add to it. */
  readonly archives: Map<string, Buffer>;
  /** The names that Pulumi has asked for. */
  readonly asked: string[];
  close(): void;
}

/**
 * Starts a server on loopback. The caller must close it.
 *
 * @param certificate makes it a server for HTTP/2 over TLS. Default: HTTP/1.1 without TLS
 */
export async function startArchiveServer(certificate?: Certificate): Promise<ArchiveServer> {
  const archives = new Map<string, Buffer>();
  const asked: string[] = [];
  const answer = (url: string, send: (status: number, length: number, archive: Buffer) => void) => {
    const name = url.slice(1);
    asked.push(name);
    const archive = archives.get(name) ?? Buffer.alloc(0);
    send(archives.has(name) ? 200 : 404, archive.length, archive);
  };
  const server =
    certificate === undefined
      ? createServer((request, response) =>
          answer(request.url ?? "", (status, length, archive) => {
            response.writeHead(status, { "content-length": length }).end(archive);
          }),
        )
      : createSecureServer(certificate, (request, response) =>
          answer(request.url, (status, length, archive) => {
            response.writeHead(status, { "content-length": length }).end(archive);
          }),
        );
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const scheme = certificate === undefined ? "http" : "https";
  return { url: `${scheme}://127.0.0.1:${port}`, archives, asked, close: () => server.close() };
}
