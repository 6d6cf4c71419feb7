import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A server from which Pulumi installs plugins. */
export interface ArchiveServer {
  readonly url: string;
  /** What it offers, by name. Tests add to it. */
  readonly archives: Map<string, Buffer>;
  /** The names that Pulumi has asked for. */
  readonly asked: string[];
  close(): void;
}

/** Starts a server on loopback. The caller must close it. */
export async function startArchiveServer(): Promise<ArchiveServer> {
  const archives = new Map<string, Buffer>();
  const asked: string[] = [];
  const server = createServer(({ url = "" }, response) => {
    const name = url.slice(1);
    asked.push(name);
    const archive = archives.get(name);
    response.writeHead(archive === undefined ? 404 : 200, { "content-length": archive?.length ?? 0 }).end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, archives, asked, close: () => server.close() };
}
