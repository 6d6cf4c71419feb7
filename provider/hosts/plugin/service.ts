import type { ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import {
  type Caller,
  formatProblem,
  type HostedFunction,
  type NativeKind,
  type Problem,
  type Properties,
  ResourceError,
} from "../../kinds/hosted-kind";
import { parseUrn } from "../../urn";
import { diffResponse, hasChanges } from "./detailed-diff";
import type { EngineLog } from "./engine-log";
import { holdsSecret, holdsUnknown, type Mark } from "./property-values";
import { exposedNames, hiddenOutputs, type MarkSources, marksOf, type OpenedProperties } from "./secrets";
import { serviceFailure } from "./service-errors";
import {
  changedSettings,
  type HostedSettings,
  readSetting,
  secretSettingNames,
  settingMarks,
  unknownSettings,
} from "./settings";
import { closeStruct, isSendable, openStruct } from "./structs";

/** What a plugin serves. */
export interface ServedPackage {
  /** Such as `1.2.3`. */
  readonly version: string;
  /** The schema of the package, as JSON. */
  readonly schema: string;
  /** By token, such as `pkg:index:Thing`. */
  readonly kinds: Readonly<Record<string, NativeKind>>;
  /** By token, such as `pkg:index:getThing`. */
  readonly functions: Readonly<Record<string, HostedFunction>>;
  readonly settings: HostedSettings;
  /** Names of the settings whose secrecy makes the results of functions secret. Default: none. */
  readonly settingsInResults?: readonly string[];
  /** Finds what is wrong with settings. The function gives the value of a setting by its name. */
  checkSettings(read: ReadSetting): readonly Problem[];
  /** Takes the settings. Must not fail. */
  configure(read: ReadSetting): void;
}

/** Gives the value of a setting by its name, without a namespace. Lists and objects are JSON. */
export type ReadSetting = (name: string) => string | undefined;

/** What the engine says in each request about a resource. */
interface ResourceRequest {
  getUrn(): string;
  getType(): string;
  getName(): string;
}

/** How the properties in the reply to a request, or in its failure, get their marks. */
interface Exchange {
  /** Marks for the properties of an unfinished resource. The handler sets them as soon as it knows the secrets. */
  marks(properties: Properties): Mark;
}

/** The service `ResourceProvider` that Pulumi's engine calls, for kinds and functions. */
export class ProviderService {
  private secretSettings: ReadonlySet<string> = new Set();
  /** The id of the provider in the state. In a preview it may not be known yet. */
  private providerId: string | undefined;

  constructor(
    private readonly served: ServedPackage,
    private readonly log: EngineLog,
  ) {}

  /** The handlers by method. Methods that are not here are answered as not implemented. */
  handlers(): UntypedServiceImplementation {
    return {
      handshake: this.answer<rpc.ProviderHandshakeRequest, rpc.ProviderHandshakeResponse>((request) => {
        this.log.attach(request.getEngineAddress());
        return new rpc.ProviderHandshakeResponse().setAcceptSecrets(true);
      }),
      attach: this.answer<{ getAddress(): string }, Empty>((request) => {
        this.log.attach(request.getAddress());
        return new Empty();
      }),
      getPluginInfo: this.answer<Empty, PluginInfo>(() => new PluginInfo().setVersion(this.served.version)),
      getSchema: this.answer<rpc.GetSchemaRequest, rpc.GetSchemaResponse>(() =>
        new rpc.GetSchemaResponse().setSchema(this.served.schema),
      ),
      checkConfig: this.answer<rpc.CheckRequest, rpc.CheckResponse>((request) => this.checkConfig(request)),
      diffConfig: this.answer<rpc.DiffRequest, rpc.DiffResponse>((request) => this.diffConfig(request)),
      configure: this.answer<rpc.ConfigureRequest, rpc.ConfigureResponse>((request) => this.configure(request)),
      check: this.answer<rpc.CheckRequest, rpc.CheckResponse>((request) => this.check(request)),
      diff: this.answer<rpc.DiffRequest, rpc.DiffResponse>((request) => this.diff(request)),
      create: this.answer<rpc.CreateRequest, rpc.CreateResponse>((request, exchange) => this.create(request, exchange)),
      read: this.answer<rpc.ReadRequest, rpc.ReadResponse>((request) => this.read(request)),
      update: this.answer<rpc.UpdateRequest, rpc.UpdateResponse>((request, exchange) => this.update(request, exchange)),
      delete: this.answer<rpc.DeleteRequest, Empty>((request) => this.delete(request)),
      invoke: this.answer<rpc.InvokeRequest, rpc.InvokeResponse>((request) => this.invoke(request)),
      // The engine sends it at the first Ctrl-C, and then waits for what is running. The end of the process ends creates.
      cancel: this.answer<Empty, Empty>(() => new Empty()),
    };
  }

  private checkConfig(request: rpc.CheckRequest): rpc.CheckResponse {
    const news = openStruct(request.getNews());
    const unknown = unknownSettings(news.value, this.served.settings);
    // A preview may not know all settings yet.
    const wrong = !holdsUnknown(news.value) ? this.served.checkSettings((name) => readSetting(news.value, name)) : [];
    return new rpc.CheckResponse()
      .setInputs(closeStruct(news.value, settingMarks(news, this.served.settings)))
      .setFailuresList([...unknown, ...wrong].map(checkFailure));
  }

  /** No change of a setting replaces anything. */
  private diffConfig(request: rpc.DiffRequest): rpc.DiffResponse {
    const changed = changedSettings(openStruct(request.getOlds()).value, openStruct(request.getNews()).value);
    const { DIFF_NONE, DIFF_SOME } = rpc.DiffResponse.DiffChanges;
    return new rpc.DiffResponse().setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE).setDiffsList(changed);
  }

  private configure(request: rpc.ConfigureRequest): rpc.ConfigureResponse {
    const settings = openStruct(request.getArgs());
    this.secretSettings = secretSettingNames(settings);
    this.providerId = request.getId() || undefined;
    this.served.configure((name) => readSetting(settings.value, name));
    return new rpc.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
  }

  private async check(request: rpc.CheckRequest): Promise<rpc.CheckResponse> {
    const { kind, caller } = this.find(request);
    if (this.providerId === undefined) {
      return new rpc.CheckResponse().setInputs(request.getNews()).setFailuresList([checkFailure(oldEngine)]);
    }
    const [news, olds] = [withoutNulls(openStruct(request.getNews())), openStruct(request.getOlds())];
    const { inputs, problems } = await kind.check(news.value, caller, olds.value);
    const reply = new rpc.CheckResponse().setFailuresList(problems.map(checkFailure));
    // Policies of the stack see the inputs of a failed check. They can do without those that cannot be sent.
    return problems.length > 0 && !isSendable(inputs)
      ? reply
      : reply.setInputs(closeStruct(inputs, this.marks(kind, { news }, inputs)));
  }

  private async diff(request: rpc.DiffRequest): Promise<rpc.DiffResponse> {
    const { kind, caller } = this.find(request);
    const [olds, news] = [openStruct(request.getOlds()), openStruct(request.getNews())];
    const difference = await kind.diff(request.getId(), olds.value, news.value, caller);
    // A path would show the value, and the option `replaceOnChanges` would act on it.
    const isUnfinished = difference.isUnfinished || exposedNames(olds, news).length > 0;
    return diffResponse({ ...difference, isUnfinished }, news.value, [olds.mark, news.mark]);
  }

  private async create(request: rpc.CreateRequest, exchange: Exchange): Promise<rpc.CreateResponse> {
    const { kind, caller } = this.find(request, request.getTimeout());
    const news = openStruct(request.getProperties());
    exchange.marks = (properties) => this.marks(kind, { news }, properties);
    if (request.getPreview()) {
      const outputs = kind.preview(undefined, news.value);
      return new rpc.CreateResponse().setProperties(closeStruct(outputs, exchange.marks(outputs)));
    }
    const { id, outputs } = await kind.create(news.value, caller);
    return new rpc.CreateResponse().setId(id).setProperties(closeStruct(outputs, exchange.marks(outputs)));
  }

  private async update(request: rpc.UpdateRequest, exchange: Exchange): Promise<rpc.UpdateResponse> {
    const { kind, caller } = this.find(request, request.getTimeout());
    const [olds, news] = [openStruct(request.getOlds()), openStruct(request.getNews())];
    exchange.marks = (properties) => this.marks(kind, { news, olds: [olds] }, properties);
    const id = request.getId();
    // What has become secret only gets its mark. The kind would do something: a command would run again.
    const exposed = exposedNames(olds, news);
    const isOnlyHidden = exposed.length > 0 && !hasChanges(await kind.diff(id, olds.value, news.value, caller));
    const update = () =>
      request.getPreview() ? kind.preview(olds.value, news.value) : kind.update(id, olds.value, news.value, caller);
    const outputs = isOnlyHidden ? hiddenOutputs(olds, news, exposed) : await update();
    return new rpc.UpdateResponse().setProperties(closeStruct(outputs, exchange.marks(outputs)));
  }

  /** Refreshes a resource, looks one up, or finds one to import. The engine sends nothing but an id for an import. */
  private async read(request: rpc.ReadRequest): Promise<rpc.ReadResponse> {
    const { kind, caller } = this.find(request);
    const id = request.getId();
    const [state, inputs] = [openStruct(request.getProperties()), openStruct(request.getInputs())];
    const isImport = !request.hasProperties() && !request.hasInputs();
    const found = isImport ? await kind.import(id, caller) : await kind.read(id, state.value, caller);
    if (found === undefined) {
      return new rpc.ReadResponse();
    }
    const close = (properties: Properties) =>
      closeStruct(properties, this.marks(kind, { olds: [inputs, state] }, properties));
    return new rpc.ReadResponse()
      .setId("id" in found ? (found.id as string) : id)
      .setProperties(close(found.outputs))
      .setInputs(found.inputs === undefined ? request.getInputs() : close(found.inputs));
  }

  private async delete(request: rpc.DeleteRequest): Promise<Empty> {
    const { kind, caller } = this.find(request, request.getTimeout());
    await kind.delete(request.getId(), openStruct(request.getProperties()).value, caller);
    return new Empty();
  }

  private async invoke(request: rpc.InvokeRequest): Promise<rpc.InvokeResponse> {
    const { functions, settingsInResults = [] } = this.served;
    const served = findIn(functions, request.getTok(), "function", this.served.version);
    const given = withoutNulls(openStruct(request.getArgs()));
    const results = await served.call(given.value);
    const isSecret = holdsSecret(given.mark) || settingsInResults.some((name) => this.secretSettings.has(name));
    const secretNames = isSecret ? Object.keys(results) : served.secretOutputs;
    return new rpc.InvokeResponse().setReturn(closeStruct(results, marksOf(results, { secretNames })));
  }

  private find(request: ResourceRequest, limitSeconds = 0): { readonly kind: NativeKind; readonly caller: Caller } {
    const urn = request.getUrn();
    const { stack, project, parentType, type, name } = parseUrn(urn);
    const kind = findIn(this.served.kinds, request.getType() || type, "resource type", this.served.version);
    const caller: Caller = {
      resource: request.getName() || name,
      stack: { project, stack, id: this.providerId },
      parentType,
      limitSeconds: limitSeconds > 0 ? limitSeconds : undefined,
      say: (message, level) => this.log.say(message, { urn, level }),
    };
    return { kind, caller };
  }

  private marks(kind: NativeKind, given: Pick<MarkSources, "news" | "olds">, properties: Properties): Mark {
    const { secretSettings } = this;
    return marksOf(properties, {
      ...given,
      sources: kind.sources,
      secretSettings,
      secretNames: kind.secretOutputs(properties),
      readable: kind.readable,
    });
  }

  private answer<Request, Reply>(
    handle: (request: Request, exchange: Exchange) => Reply | Promise<Reply>,
  ): (call: ServerUnaryCall<Request, Reply>, callback: sendUnaryData<Reply>) => void {
    return (call, callback) => {
      // Until the handler has said what is secret, everything is.
      const exchange: Exchange = { marks: allSecret };
      const close = (properties: Properties): Struct => closeStruct(properties, exchange.marks(properties));
      const reply = async () => handle(call.request, exchange);
      reply()
        .finally(() => this.log.flush())
        .then(
          (message) => callback(null, message),
          (error: unknown) => callback(serviceFailure(error, close)),
        );
    };
  }
}

function allSecret(properties: Properties): Mark {
  return { parts: new Map(Object.keys(properties).map((name) => [name, { isSecret: true }])) };
}

/** Pulumi prints the value of the property that a failure names, which may be secret. So the reason has the path. */
function checkFailure(problem: Problem): rpc.CheckFailure {
  return new rpc.CheckFailure().setProperty("").setReason(formatProblem(problem));
}

/** A property that a program sets to null is not set. */
function withoutNulls({ value, mark }: OpenedProperties): OpenedProperties {
  return { value: Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null)), mark };
}

/** Only the id tells a stack from others of the same name, and old engines do not pass it. */
const oldEngine: Problem = {
  path: "",
  reason:
    "this version of Pulumi does not tell a plugin the id of its provider, so resources would not show which stack they " +
    "belong to. Update the Pulumi CLI to 3.216 or newer.",
  code: "AGB123",
};

function findIn<Served>(table: Readonly<Record<string, Served>>, token: string, noun: string, version: string): Served {
  const found = Object.hasOwn(table, token) ? table[token] : undefined;
  if (found === undefined) {
    throw new ResourceError(
      `unknown ${noun} ${JSON.stringify(token)}`,
      `version ${version} of the plugin has ${Object.keys(table).join(", ")}. Use versions of plugin and SDK that fit each other.`,
      "AGB121",
    );
  }
  return found;
}
