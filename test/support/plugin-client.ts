import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { type LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { EngineLog, type ServedPackage, servePlugin } from "../../provider/hosts/plugin";
import { closeAfterTest } from "./close-after-test";
import { encodeCheckRequest } from "./large-request";

/** Properties as they are on the wire, with Pulumi's signatures. */
export type WireProperties = Record<string, unknown>;

/** A message that the plugin sent to the engine. */
export interface LoggedMessage {
  readonly message: string;
  readonly severity: "info" | "warning" | "other";
  readonly urn: string;
}

const assetSignature = "c44067f5952c0a294b673a41bacd8c17";
const archiveSignature = "0def7320c3a5731c473e5ecbe6d01bc7";

/** A value as the engine marks a secret. */
export function secretValue(value: unknown): WireProperties {
  return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}

/** A sent value without the engine's marks at any depth: secrets are readable, and what `sourceAsset` made is a source. */
export function withoutMarks(sent: unknown): unknown {
  if (Array.isArray(sent)) {
    return sent.map(withoutMarks);
  }
  if (typeof sent !== "object" || sent === null) {
    return sent;
  }
  const { "4dabf18193072939515e22adb298388d": signature, value, hash } = sent as WireProperties;
  switch (signature) {
    case "1b47061264138c4ac30d75fd1eb44270":
      return withoutMarks(value);
    case assetSignature:
    case archiveSignature:
      return JSON.parse(String(hash));
    default:
      return Object.fromEntries(Object.entries(sent).map(([name, field]) => [name, withoutMarks(field)]));
  }
}

/** All strings in what the plugin sent that are not in a secret, keys too. */
export function readableStrings(sent: unknown): string[] {
  if (typeof sent !== "object" || sent === null) {
    return [String(sent)];
  }
  const isSecret = Object.values(sent).includes("1b47061264138c4ac30d75fd1eb44270");
  return isSecret ? [] : Object.entries(sent).flatMap(([key, value]) => [key, ...readableStrings(value)]);
}

/** A value as the engine sends an asset with a string. */
export function stringAsset(text: string): WireProperties {
  return { "4dabf18193072939515e22adb298388d": assetSignature, hash: `hash of ${text}`, text };
}

/** A file's source as the engine sends it. Where it leaves the content out, it sends only the hash. */
export function sourceAsset(source: Readonly<Record<string, unknown>>, hasContent: boolean): WireProperties {
  const { text, file, folder = file, archive, remote } = source;
  const isArchive = archive !== undefined || "folder" in source;
  const inner = Object.entries((archive ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>);
  const content = {
    ...(text !== undefined && { text }),
    ...(folder !== undefined && { path: folder }),
    ...(remote !== undefined && { uri: remote }),
    ...(archive !== undefined && {
      assets: Object.fromEntries(inner.map(([name, part]) => [name, sourceAsset(part, hasContent)])),
    }),
  };
  return {
    "4dabf18193072939515e22adb298388d": isArchive ? archiveSignature : assetSignature,
    // The tests find the source by it.
    hash: JSON.stringify(source),
    ...(hasContent && content),
  };
}

/** What the engine sends for a string that a preview does not know yet. */
export const unknownString = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The URN of a resource of the stack `shop/dev`. */
export function urnOf(type: string, name: string, parentType?: string): string {
  return `urn:pulumi:dev::shop::${parentType === undefined ? "" : `${parentType}$`}${type}::${name}`;
}

/** Id of the provider in the state of `shop/dev`. */
export const providerId = "0b8f2b4e-5a0c-4c36-9d0e-6d1b8c9e7f10";

// Only a call that hangs takes this long, however busy the machine is.
const callTimeoutMs = 60_000;

/** The engine takes messages of this size from its plugins. */
const longestMessageBytes = 400 * 1024 * 1024;

type Callback<Reply> = (error: grpc.ServiceError | null, reply: Reply) => void;

/** A plugin in this process, spoken to over gRPC as the engine does. */
export class PluginClient {
  private readonly pending = new Set<Promise<unknown>>();

  private constructor(
    private readonly client: ResourceProviderClient,
    /** Everything that the plugin told the engine. */
    readonly logged: readonly LoggedMessage[],
  ) {}

  /** Serves a package and does the handshake. Everything ends with the test. */
  static async open(serve: (say: (message: string) => void) => ServedPackage): Promise<PluginClient> {
    const engine = await startEngine();
    const log = new EngineLog();
    const served = serve((message) => log.say(message));
    const server = closeAfterTest(await servePlugin(served, log));
    const plugin = PluginClient.connect(server.port, engine);
    const request = new rpc.ProviderHandshakeRequest().setEngineAddress(engine.address);
    await plugin.call<rpc.ProviderHandshakeResponse>((...rest) => plugin.client.handshake(request, ...rest));
    return plugin;
  }

  /** Connects to a plugin that runs already. */
  static connect(port: number, { logged }: Pick<EmulatedEngine, "logged">): PluginClient {
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      "grpc.max_receive_message_length": longestMessageBytes,
      "grpc.max_send_message_length": longestMessageBytes,
    });
    closeAfterTest(client);
    return new PluginClient(client, logged);
  }

  /** Waits until all calls have their replies. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.pending);
  }

  /** Ends the connection. */
  close(): void {
    this.client.close();
  }

  /** Tells the plugin where its engine is, as the engine does to a plugin that it did not start. */
  async attach({ address }: EmulatedEngine): Promise<void> {
    const request = new PluginAttach().setAddress(address);
    await this.call<Empty>((...rest) => this.client.attach(request, ...rest));
  }

  async schema(): Promise<string> {
    const request = new rpc.GetSchemaRequest();
    return (await this.call<rpc.GetSchemaResponse>((...rest) => this.client.getSchema(request, ...rest))).getSchema();
  }

  async version(): Promise<string> {
    const reply = this.call<{ getVersion(): string }>((...rest) => this.client.getPluginInfo(new Empty(), ...rest));
    return (await reply).getVersion();
  }

  async checkConfig(news: WireProperties) {
    const request = new rpc.CheckRequest().setNews(toStruct(news));
    const reply = await this.call<rpc.CheckResponse>((...rest) => this.client.checkConfig(request, ...rest));
    return checked(reply);
  }

  async diffConfig(olds: WireProperties, news: WireProperties) {
    const request = new rpc.DiffRequest().setOlds(toStruct(olds)).setNews(toStruct(news));
    return differences(await this.call<rpc.DiffResponse>((...rest) => this.client.diffConfig(request, ...rest)));
  }

  /** @param id of the provider in the state */
  async configure(args: WireProperties, id: string = providerId): Promise<rpc.ConfigureResponse.AsObject> {
    const request = new rpc.ConfigureRequest().setArgs(toStruct(args)).setId(id);
    return (await this.call<rpc.ConfigureResponse>((...rest) => this.client.configure(request, ...rest))).toObject();
  }

  async check(urn: string, news: WireProperties, olds: WireProperties = {}) {
    const request = new rpc.CheckRequest().setUrn(urn).setNews(toStruct(news)).setOlds(toStruct(olds));
    return checked(await this.call<rpc.CheckResponse>((...rest) => this.client.check(request, ...rest)));
  }

  /** Checks a resource whose properties are strings of any length. */
  async checkStrings(urn: string, news: Readonly<Record<string, string>>) {
    const path = "/pulumirpc.ResourceProvider/Check";
    const request = encodeCheckRequest(urn, news);
    const reply = await this.call<rpc.CheckResponse | undefined>((...rest) =>
      this.client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        rpc.CheckResponse.deserializeBinary,
        request,
        ...rest,
      ),
    );
    return checked(reply as rpc.CheckResponse);
  }

  async diff(urn: string, id: string, olds: WireProperties, news: WireProperties) {
    const request = new rpc.DiffRequest().setUrn(urn).setId(id).setOlds(toStruct(olds)).setNews(toStruct(news));
    return differences(await this.call<rpc.DiffResponse>((...rest) => this.client.diff(request, ...rest)));
  }

  /** @param options.timeout limit in seconds. Default: none */
  async create(urn: string, inputs: WireProperties, options: { preview?: boolean; timeout?: number } = {}) {
    const request = new rpc.CreateRequest().setUrn(urn).setProperties(toStruct(inputs));
    request.setPreview(options.preview ?? false).setTimeout(options.timeout ?? 0);
    const reply = await this.call<rpc.CreateResponse>((...rest) => this.client.create(request, ...rest));
    return { id: reply.getId(), properties: fromStruct(reply.getProperties()) };
  }

  /** Refreshes a resource. */
  async read(urn: string, id: string, properties: WireProperties, inputs: WireProperties) {
    const request = new rpc.ReadRequest().setUrn(urn).setId(id);
    return this.sendRead(request.setProperties(toStruct(properties)).setInputs(toStruct(inputs)));
  }

  /** Reads a resource as the engine does for an import. */
  async import(urn: string, id: string) {
    return this.sendRead(new rpc.ReadRequest().setUrn(urn).setId(id));
  }

  async update(
    urn: string,
    id: string,
    olds: WireProperties,
    news: WireProperties,
    options: { preview?: boolean; timeout?: number } = {},
  ): Promise<WireProperties> {
    const request = new rpc.UpdateRequest().setUrn(urn).setId(id).setOlds(toStruct(olds)).setNews(toStruct(news));
    request.setPreview(options.preview ?? false).setTimeout(options.timeout ?? 0);
    const reply = await this.call<rpc.UpdateResponse>((...rest) => this.client.update(request, ...rest));
    return fromStruct(reply.getProperties());
  }

  /** @param options.timeout limit in seconds. Default: none */
  async delete(urn: string, id: string, properties: WireProperties, options: { timeout?: number } = {}): Promise<void> {
    const request = new rpc.DeleteRequest().setUrn(urn).setId(id).setProperties(toStruct(properties));
    request.setTimeout(options.timeout ?? 0);
    await this.call<Empty>((...rest) => this.client.delete(request, ...rest));
  }

  async invoke(token: string, args: WireProperties): Promise<WireProperties> {
    const request = new rpc.InvokeRequest().setTok(token).setArgs(toStruct(args));
    const reply = await this.call<rpc.InvokeResponse>((...rest) => this.client.invoke(request, ...rest));
    return fromStruct(reply.getReturn());
  }

  async cancel(): Promise<void> {
    await this.call<Empty>((...rest) => this.client.cancel(new Empty(), ...rest));
  }

  /** Calls a method that the plugin does not have. */
  async construct(): Promise<void> {
    await this.call<unknown>((...rest) => this.client.construct(new rpc.ConstructRequest(), ...rest));
  }

  private async sendRead(request: rpc.ReadRequest) {
    const reply = await this.call<rpc.ReadResponse>((...rest) => this.client.read(request, ...rest));
    return {
      id: reply.getId(),
      properties: fromStruct(reply.getProperties()),
      inputs: reply.hasInputs() ? fromStruct(reply.getInputs()) : undefined,
    };
  }

  private call<Reply>(
    start: (metadata: grpc.Metadata, options: grpc.CallOptions, callback: Callback<Reply>) => unknown,
  ): Promise<Reply> {
    const reply = new Promise<Reply>((resolve, reject) => {
      const options = { deadline: Date.now() + callTimeoutMs };
      start(new grpc.Metadata(), options, (error, reply) => (error === null ? resolve(reply) : reject(error)));
    });
    this.pending.add(reply);
    const forget = () => this.pending.delete(reply);
    reply.then(forget, forget);
    return reply;
  }
}

/** The resource that a failed call left behind. */
export function initFailure(error: unknown) {
  const [details] = (error as grpc.ServiceError).metadata.get("grpc-status-details-bin");
  const [detail] = Status.deserializeBinary(details as Buffer).getDetailsList();
  const failed = rpc.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  return {
    type: detail?.getTypeName(),
    id: failed.getId(),
    properties: fromStruct(failed.getProperties()),
    reasons: failed.getReasonsList(),
  };
}

/** The message of a call that fails. */
export async function failureOfCall(call: Promise<unknown>): Promise<grpc.ServiceError> {
  return call.then(
    () => {
      throw new Error("the call succeeded");
    },
    (error: grpc.ServiceError) => error,
  );
}

function checked(reply: rpc.CheckResponse) {
  return {
    inputs: fromStruct(reply.getInputs()),
    failures: reply.getFailuresList().map((failure) => `${failure.getProperty()}${failure.getReason()}`),
  };
}

function differences(reply: rpc.DiffResponse) {
  const kinds = Object.keys(rpc.PropertyDiff.Kind);
  const detailed: [string, string | undefined][] = [];
  reply.getDetaileddiffMap().forEach((difference, path) => {
    detailed.push([path, kinds[difference.getKind()]]);
  });
  return {
    changes: reply.getChanges() === rpc.DiffResponse.DiffChanges.DIFF_SOME,
    diffs: reply.getDiffsList(),
    replaces: reply.getReplacesList(),
    deleteBeforeReplace: reply.getDeletebeforereplace(),
    detailed: Object.fromEntries(detailed),
  };
}

/** What a plugin sees of its engine. */
export interface EmulatedEngine {
  readonly address: string;
  /** Everything that plugins told it. */
  readonly logged: readonly LoggedMessage[];
}

/** Starts a server that takes messages as the engine does. It ends with the test. */
export async function startEngine(): Promise<EmulatedEngine> {
  const logged: LoggedMessage[] = [];
  const severities = { [LogSeverity.INFO]: "info", [LogSeverity.WARNING]: "warning" } as const;
  const server = new grpc.Server();
  server.addService(EngineService, {
    log: ({ request }: { request: LogRequest }, callback: Callback<Empty>) => {
      const severity = severities[request.getSeverity() as 1 | 2] ?? "other";
      logged.push({ message: request.getMessage(), severity, urn: request.getUrn() });
      callback(null, new Empty());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  closeAfterTest({ close: () => server.forceShutdown() });
  return { address: `127.0.0.1:${port}`, logged };
}

function toStruct(properties: WireProperties): Struct {
  return Struct.fromJavaScript(properties as Record<string, JavaScriptValue>);
}

function fromStruct(struct: Struct | undefined): WireProperties {
  return (struct?.toJavaScript() ?? {}) as WireProperties;
}
