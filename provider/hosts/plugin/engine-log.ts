import { credentials, Metadata } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** How long the engine has to take a message, in milliseconds. A reply waits that long for it. */
const messageLimitMs = 10_000;

/** Shows messages through the engine, on the row of the resource that they are about. */
export class EngineLog {
  private client: EngineClient | undefined;
  /** The last message. Each is sent when the engine has the one before, so that lines keep their order. */
  private last: Promise<void> = Promise.resolve();

  /**
   * @param print shows a message while no engine is known, and one that the engine does not take
   * @param limitMs how long the engine has to take a message
   */
  constructor(
    private readonly print: (message: string) => void = (message) => console.error(message),
    private readonly limitMs = messageLimitMs,
  ) {}

  /** Sends messages to the engine at this address from now on. */
  attach(address: string): void {
    this.client?.close();
    // The engine is on this machine, and a proxy is for other ones.
    this.client = new EngineClient(address, credentials.createInsecure(), { "grpc.enable_http_proxy": 0 });
  }

  /**
   * Shows a message. Never fails.
   *
   * @param urn the resource that it is about. Default: the whole run
   */
  say(
    message: string,
    { urn = "", level }: { readonly urn?: string; readonly level?: "warning" | undefined } = {},
  ): void {
    const { client } = this;
    if (client === undefined) {
      this.print(message);
      return;
    }
    const severity = level === "warning" ? LogSeverity.WARNING : LogSeverity.INFO;
    const request = new LogRequest().setMessage(message).setUrn(urn).setSeverity(severity);
    const deadline = Date.now() + this.limitMs;
    const send = () =>
      new Promise<void>((resolve) => {
        client.log(request, new Metadata(), { deadline }, (error) => {
          if (error !== null) {
            this.print(message);
          }
          resolve();
        });
      });
    this.last = this.last.then(send);
  }

  /** Waits until the engine has all messages: it may end the provider right after a reply. */
  async flush(): Promise<void> {
    await this.last;
  }

  /** Ends the connection to the engine. */
  close(): void {
    this.client?.close();
    this.client = undefined;
  }
}
