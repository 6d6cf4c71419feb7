import { Server, ServerCredentials } from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import type { EngineLog } from "./engine-log";
import { ProviderService, type ServedPackage } from "./service";

/** A server that the engine can call. */
export interface PluginServer {
  /** Its port on this machine. */
  readonly port: number;
  /** Ends the server, without waiting for calls. */
  close(): void;
}

/**
 * Starts a server on a free port of this machine.
 *
 * @param log where messages to the user go
 * @throws Error when no port can be opened
 */
export async function servePlugin(served: ServedPackage, log: EngineLog): Promise<PluginServer> {
  // A state may hold files and long outputs of commands.
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(ResourceProviderService, new ProviderService(served, log).handlers());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    close: () => {
      server.forceShutdown();
      log.close();
    },
  };
}
