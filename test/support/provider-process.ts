import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { closeAfterTest } from "./close-after-test";
import { repositoryRoot } from "./node-process";

export type Properties = Record<string, unknown>;

/** What a call fails with; `details` holds the message that the user sees. */
export type CallFailure = grpc.ServiceError;

/** A folder from which the package resolves as it does for a user's program. */
const programFolder = join(repositoryRoot, "examples", "labelled-sessions");

// Only a call that hangs takes this long, however busy the machine is.
const callTimeoutMs = 60_000;

/** A create or update that failed although the resource exists. */
export interface UnfinishedResource {
  readonly id: string;
  readonly properties: Properties;
  readonly reasons: readonly string[];
}

/** Pulumi's own dynamic-provider process, spoken to as the engine does. */
export class ProviderProcess {
  private stdoutText = "";
  private stderrText = "";

  private constructor(
    private readonly child: ChildProcess,
    private readonly client: ResourceProviderClient,
  ) {
    child.stdout?.on("data", (text) => {
      this.stdoutText += String(text);
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderrText += text;
    });
  }

  /** Starts the process; it ends with the test. */
  static async start(
    environment: Readonly<Record<string, string>>,
    { input = "ignore" }: { readonly input?: "ignore" | "pipe" } = {},
  ): Promise<ProviderProcess> {
    const script = require.resolve("@pulumi/pulumi/cmd/dynamic-provider");
    const child = spawn(process.execPath, [script, "127.0.0.1:1"], {
      cwd: programFolder,
      env: { PATH: process.env["PATH"] ?? "", PULUMI_NODEJS_PROJECT: "shop", ...environment },
      stdio: [input as "pipe", "pipe", "pipe"],
    });
    const stop = closeAfterTest({ close: () => endProcess(child) });
    const lines = createInterface({ input: child.stdout });
    const port = await Promise.race([
      once(lines, "line").then(([line]) => String(line)),
      once(child, "exit").then(() => {
        throw new Error("the dynamic-provider process ended before it named its port; is the package built?");
      }),
    ]).catch(async (error: unknown) => {
      await stop.close();
      throw error;
    });
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    closeAfterTest(client);
    return new ProviderProcess(child, client);
  }

  /** What the process has written to its output after the line with its port. */
  get stdout(): string {
    return this.stdoutText;
  }

  /** What the process has written to its error stream so far. */
  get stderr(): string {
    return this.stderrText;
  }

  /** Ends the standard input, as the death of the engine does. */
  endInput(): void {
    this.child.stdin?.end();
  }

  /** Sends the process a signal. */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Waits until the process has ended by itself; gives its exit code, or the name of the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await once(this.child, "close");
    }
    return this.child.exitCode ?? this.child.signalCode;
  }

  /** Ends the process and waits for the last of its error stream. */
  close(): Promise<void> {
    return endProcess(this.child);
  }

  async configure(config: Readonly<Record<string, string>>): Promise<void> {
    const request = new messages.ConfigureRequest().setArgs(toStruct(config));
    await this.call<messages.ConfigureResponse>((callback) => this.client.configure(request, ...callback));
  }

  async check(olds: Properties, news: Properties) {
    const request = new messages.CheckRequest().setOlds(toStruct(olds)).setNews(toStruct(news));
    const reply = await this.call<messages.CheckResponse>((callback) => this.client.check(request, ...callback));
    return { inputs: fromStruct(reply.getInputs()), failures: reply.getFailuresList().map((each) => each.toObject()) };
  }

  async diff(id: string, olds: Properties, news: Properties) {
    const request = new messages.DiffRequest().setId(id).setOlds(toStruct(olds)).setNews(toStruct(news));
    const reply = await this.call<messages.DiffResponse>((callback) => this.client.diff(request, ...callback));
    return { changes: reply.getChanges(), replaces: reply.getReplacesList() };
  }

  async create(inputs: Properties) {
    const request = new messages.CreateRequest().setProperties(toStruct(inputs));
    const reply = await this.call<messages.CreateResponse>((callback) => this.client.create(request, ...callback));
    return { id: reply.getId(), properties: fromStruct(reply.getProperties()) };
  }

  async read(id: string, properties: Properties) {
    const request = new messages.ReadRequest().setId(id).setProperties(toStruct(properties));
    const reply = await this.call<messages.ReadResponse>((callback) => this.client.read(request, ...callback));
    return {
      id: reply.getId(),
      properties: fromStruct(reply.getProperties()),
      inputs: reply.hasInputs() ? fromStruct(reply.getInputs()) : undefined,
    };
  }

  async update(id: string, olds: Properties, news: Properties): Promise<Properties> {
    const request = new messages.UpdateRequest().setId(id).setOlds(toStruct(olds)).setNews(toStruct(news));
    const reply = await this.call<messages.UpdateResponse>((callback) => this.client.update(request, ...callback));
    return fromStruct(reply.getProperties());
  }

  async delete(id: string, properties: Properties): Promise<void> {
    const request = new messages.DeleteRequest().setId(id).setProperties(toStruct(properties));
    await this.call<unknown>((callback) => this.client.delete(request, ...callback));
  }

  private call<Reply>(
    start: (
      rest: [grpc.Metadata, grpc.CallOptions, (error: grpc.ServiceError | null, reply: Reply) => void],
    ) => unknown,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + callTimeoutMs };
      start([new grpc.Metadata(), options, (error, reply) => (error ? reject(error) : resolve(reply))]);
    });
  }
}

/** The resource that a failed call left behind, `undefined` when it left none. */
export function unfinishedResource(error: unknown): UnfinishedResource | undefined {
  const [details] = (error as grpc.ServiceError).metadata.get("grpc-status-details-bin");
  if (details === undefined) {
    return undefined;
  }
  const [detail] = Status.deserializeBinary(details as Buffer).getDetailsList();
  const failed = messages.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  return { id: failed.getId(), properties: fromStruct(failed.getProperties()), reasons: failed.getReasonsList() };
}

function toStruct(properties: Properties): Struct {
  return Struct.fromJavaScript(properties as Record<string, JavaScriptValue>);
}

function fromStruct(struct: Struct | undefined): Properties {
  return struct?.toJavaScript() ?? {};
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, "close");
    child.kill("SIGKILL");
    await ended;
  }
}
