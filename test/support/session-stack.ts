import type { Emulator, EmulatorOptions } from "../../provider/emulator";
import type { DynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import { providerReference } from "../../provider/resources/reference";
import { startTestEmulator, testKey } from "./agb-emulator";
import { FakeClock } from "./fake-clock";
import type { ProviderObjects } from "./provider-objects";
import { type Host, openHost, testStackId } from "./resource-hosts";

export const owner = {
  "pulumi-project": "shop",
  "pulumi-stack": "dev",
  "pulumi-stack-id": testStackId,
  "pulumi-resource": "web",
};
/** The reference that Pulumi stores with each resource. */
export const provider = providerReference("session");

export type Labels = Record<string, string>;
export type Properties = Record<string, unknown> & { labels: Labels; labelsAll: Labels; imageId: string };

/** Provider objects for the emulator, with the stack's configuration where given. */
export function openProvider(
  url: string,
  clock: FakeClock,
  config: Readonly<Record<string, string>> = {},
  host: Host = "dynamic",
): ProviderObjects {
  const provider = openHost(host, { AGB_API_KEY: testKey, AGB_ENDPOINT: url }, clock);
  provider.configure(config);
  return provider;
}

/** What the resource class hands over for these labels. */
export function declare(labels: Labels = { team: "web" }, more: Record<string, unknown> = {}) {
  return { imageId: "agb-code-space-1", labels, labelsAll: { ...labels, ...owner }, __provider: provider, ...more };
}

/** What Pulumi keeps of a resource between two runs. */
export interface State {
  readonly id: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
}

/** Plays Pulumi's part for one resource: calls the methods in the engine's order and returns the states it would store. */
export class Stack {
  constructor(
    readonly objects: ProviderObjects,
    readonly emulator: Emulator,
  ) {}

  get provider(): DynamicProvider {
    return this.objects.session;
  }

  async check(news: Record<string, unknown>): Promise<Properties> {
    const { inputs, failures = [] } = await this.provider.check({}, news);
    if (failures.length > 0) {
      throw new Error(failures.map(({ reason }) => reason).join("\n"));
    }
    return this.carried({ ...inputs, __provider: provider });
  }

  async create(news: Record<string, unknown> = declare()): Promise<State> {
    const inputs = await this.check(news);
    const { id, outs } = await this.provider.create(inputs);
    return { id, inputs, outputs: this.carried({ ...outs, __provider: provider }) };
  }

  /** What a refresh makes of the state; `undefined` when the session is gone. */
  async refresh(state: State): Promise<State | undefined> {
    const { id, props, inputs } = await this.provider.read(state.id, state.outputs);
    return id === undefined
      ? undefined
      : {
          id,
          inputs: inputs === undefined ? state.inputs : this.carried({ ...inputs, __provider: provider }),
          outputs: this.carried({ ...props, __provider: provider }),
        };
  }

  async diff(state: State, news: Record<string, unknown> = declare()) {
    return this.provider.diff(state.id, state.outputs, await this.check(news));
  }

  async update(state: State, news: Record<string, unknown> = declare()): Promise<State> {
    const inputs = await this.check(news);
    const { outs } = await this.provider.update(state.id, state.outputs, inputs);
    return { id: state.id, inputs, outputs: this.carried({ ...outs, __provider: provider }) };
  }

  async release({ id, outputs }: State): Promise<void> {
    await this.provider.delete(id, outputs);
  }

  labelsOf(state: State): Readonly<Labels> | undefined {
    return this.emulator.sessions().find(({ sessionId }) => sessionId === state.id)?.labels;
  }

  // Between two methods everything is a message of the engine's protocol.
  private carried(properties: Record<string, unknown>): Properties {
    const undefinedAt = Object.entries(properties).find(([, value]) => value === undefined);
    expect(undefinedAt).toBeUndefined();
    return JSON.parse(JSON.stringify(properties)) as Properties;
  }
}

/** An emulator and a stack that share a clock, with default labels and more configuration where given. */
export async function openStack(
  { host, ...options }: EmulatorOptions & { readonly host?: Host } = {},
  defaultLabels?: Labels,
  more: Readonly<Record<string, string>> = {},
) {
  const clock = new FakeClock();
  const emulator = await startTestEmulator({ clock, ...options });
  const config = { ...(defaultLabels && { "agb:defaultLabels": JSON.stringify(defaultLabels) }), ...more };
  return { clock, emulator, stack: new Stack(openProvider(emulator.url, clock, config, host), emulator) };
}

/** The error that a promise is rejected with. Fails when it is not. */
export async function failureOf(work: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const outcome = await work.then(
    () => undefined,
    (error: Error & Record<string, unknown>) => error,
  );
  if (outcome === undefined) {
    throw new Error("nothing failed");
  }
  return outcome;
}

/** JSON with sorted keys, so that equal values give equal strings. */
export function sorted(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );
}
