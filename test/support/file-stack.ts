import type { EmulatorOptions } from "../../provider/emulator";
import type { DynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import { providerReference } from "../../provider/resources/reference";
import { testKey } from "./agb-emulator";
import { type FileSession, openFileSession } from "./file-session";
import type { ProviderObjects } from "./provider-objects";
import { type Host, openHost } from "./resource-hosts";

type Properties = Record<string, unknown>;

/** What Pulumi keeps of files in a session between two runs. */
export interface FileEntry {
  readonly id: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
}

/** A failure that leaves a resource in the state. */
export interface UnfinishedFile {
  readonly id: string;
  readonly properties: Properties;
  readonly reasons: readonly string[];
}

/** Plays Pulumi's part for files. Each run has provider objects of its own. */
export class FileStack {
  private objects: ProviderObjects;

  constructor(
    readonly session: FileSession,
    private readonly endpoint: string = session.emulator.url,
    private readonly host: Host = "dynamic",
  ) {
    this.objects = this.nextRun();
  }

  /** Opens the provider objects of another run. */
  nextRun(): ProviderObjects {
    this.objects = openHost(this.host, { AGB_API_KEY: testKey, AGB_ENDPOINT: this.endpoint });
    return this.objects;
  }

  get provider(): DynamicProvider {
    return this.objects.file;
  }

  /** What the resource class hands over. */
  declare(args: Properties = {}, resource = "file"): Properties {
    return {
      sessionId: this.session.sessionId,
      path: "/home/user/file",
      source: { text: "content" },
      contentHash: "",
      ...args,
      __resource: resource,
      __provider: providerReference("file"),
    };
  }

  /** What a check says is wrong. */
  async problems(args: Properties = {}, resource = "file"): Promise<string[]> {
    const { failures = [] } = await this.provider.check({}, this.declare(args, resource));
    return failures.map(({ reason }) => reason);
  }

  async check(args: Properties = {}, resource = "file"): Promise<Properties> {
    const { inputs, failures = [] } = await this.provider.check({}, this.declare(args, resource));
    if (failures.length > 0) {
      throw new Error(failures.map(({ reason }) => reason).join("\n"));
    }
    return carried(inputs);
  }

  async create(args: Properties = {}, resource = "file"): Promise<FileEntry> {
    const inputs = await this.check(args, resource);
    const { id, outs } = await this.provider.create(inputs);
    return { id, inputs, outputs: carried(outs) };
  }

  async refresh(entry: FileEntry): Promise<FileEntry> {
    const { id, props, inputs } = await this.provider.read(entry.id, entry.outputs);
    return { id: id as string, inputs: carried(inputs ?? {}), outputs: carried(props ?? {}) };
  }

  async diff(entry: FileEntry, args: Properties = {}) {
    return this.provider.diff(entry.id, entry.outputs, await this.check(args));
  }

  async update(entry: FileEntry, args: Properties = {}): Promise<FileEntry> {
    const inputs = await this.check(args);
    const { outs } = await this.provider.update(entry.id, entry.outputs, inputs);
    return { id: entry.id, inputs, outputs: carried(outs) };
  }

  async delete({ id, outputs }: FileEntry): Promise<void> {
    await this.provider.delete(id, outputs);
  }
}

/** An emulator that runs tools, a session in it, and a stack of files. */
export async function openFileStack({
  host,
  ...options
}: EmulatorOptions & { readonly host?: Host } = {}): Promise<FileStack> {
  return new FileStack(await openFileSession(options), undefined, host);
}

// Between two methods everything is a message of the engine's protocol.
function carried(properties: Properties): Properties {
  expect(Object.entries(properties).find(([, value]) => value === undefined)).toBeUndefined();
  return JSON.parse(JSON.stringify(properties)) as Properties;
}
