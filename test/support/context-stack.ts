import type { Emulator, EmulatorOptions } from "../../provider/emulator";
import type { DynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import { providerReference } from "../../provider/resources/reference";
import { startTestEmulator, testKey } from "./agb-emulator";
import { FakeClock } from "./fake-clock";
import type { ProviderObjects } from "./provider-objects";
import { type Host, openHost } from "./resource-hosts";

/** A property that Pulumi carries. */
type Properties = Record<string, unknown>;

/** What Pulumi keeps of a context between two runs. */
export interface ContextEntry {
  readonly id: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
}

/** What the resource class hands over for a context. */
export function declareContext(args: Properties = {}, resource = "data"): Properties {
  return { name: "data", ...args, __resource: resource, __provider: providerReference("context") };
}

/** Plays Pulumi's part for contexts: runs the methods in the engine's order. Each run has provider objects of its own. */
export class ContextStack {
  private objects: ProviderObjects;

  constructor(
    readonly emulator: Emulator,
    readonly clock: FakeClock,
    private readonly environment: Readonly<Record<string, string>> = {},
    private readonly config: Readonly<Record<string, string>> = {},
    private readonly host: Host = "dynamic",
  ) {
    this.objects = this.nextRun();
  }

  /** Opens the provider objects of another run; what the earlier one kept in its memory is gone. */
  nextRun(): ProviderObjects {
    const settings = { AGB_API_KEY: testKey, AGB_ENDPOINT: this.emulator.url, ...this.environment };
    this.objects = openHost(this.host, settings, this.clock);
    this.objects.configure(this.config);
    return this.objects;
  }

  get provider(): DynamicProvider {
    return this.objects.context;
  }

  /** What a check says is wrong. */
  async problems(news: Properties = declareContext()): Promise<string[]> {
    const { failures = [] } = await this.provider.check({}, news);
    return failures.map(({ reason }) => reason);
  }

  async create(news: Properties = declareContext()): Promise<ContextEntry> {
    const inputs = await this.check(news);
    const { id, outs } = await this.provider.create(inputs);
    return { id, inputs, outputs: carried(outs) };
  }

  /** What a refresh makes of the entry; `undefined` when the context is gone. */
  async refresh(entry: ContextEntry): Promise<ContextEntry | undefined> {
    const { id, props, inputs } = await this.provider.read(entry.id, entry.outputs);
    return id === undefined
      ? undefined
      : { id, inputs: inputs === undefined ? entry.inputs : carried(inputs), outputs: carried(props ?? {}) };
  }

  async diff(entry: ContextEntry, news: Properties = declareContext()) {
    return this.provider.diff(entry.id, entry.outputs, await this.check(news));
  }

  async update(entry: ContextEntry, news: Properties = declareContext()): Promise<ContextEntry> {
    const inputs = await this.check(news);
    const { outs } = await this.provider.update(entry.id, entry.outputs, inputs);
    return { id: entry.id, inputs, outputs: carried(outs) };
  }

  async delete({ id, outputs }: ContextEntry): Promise<void> {
    await this.provider.delete(id, outputs);
  }

  /** The emulator's names of contexts, by their ids. */
  names(): Record<string, string> {
    return Object.fromEntries(this.emulator.contexts().map(({ contextId, name }) => [contextId, name]));
  }

  private async check(news: Properties): Promise<Properties> {
    const { inputs, failures = [] } = await this.provider.check({}, news);
    if (failures.length > 0) {
      throw new Error(failures.map(({ reason }) => reason).join("\n"));
    }
    return carried(inputs);
  }
}

/** An emulator and a stack of contexts by a clock that both share. */
export async function openContextStack(
  { host, ...options }: EmulatorOptions & { readonly host?: Host } = {},
  environment: Record<string, string> = {},
) {
  const clock = new FakeClock();
  // The second key is that of the plain requests that store files.
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"], clock, ...options });
  return new ContextStack(emulator, clock, environment, {}, host);
}

// Between two methods everything is a message of the engine's protocol.
function carried(properties: Properties): Properties {
  const undefinedAt = Object.entries(properties).find(([, value]) => value === undefined);
  expect(undefinedAt).toBeUndefined();
  return JSON.parse(JSON.stringify(properties)) as Properties;
}
