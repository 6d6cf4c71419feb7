import * as pulumi from "@pulumi/pulumi";
import type { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import { getMonitor, setMockOptions } from "@pulumi/pulumi/runtime/settings";

/** A resource as the program registers it with the engine. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  /** Secrets in them, at any depth, are `secret(value)`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Set if the program looks the resource up instead of creating it. */
  readonly id: string | undefined;
  readonly provider: string | undefined;
  /** Environment variables of the engine that a provider sees under another name. */
  readonly environmentMappings: Readonly<Record<string, string>>;
  /** URNs of the resources that it depends on. Not enumerable, so that most tests can ignore them. */
  readonly dependencies: readonly string[];
  /** Whether a replacement deletes it first. Not enumerable either. */
  readonly deletesFirst: boolean;
}

/** Returns a secret as it appears in the inputs of a registration. */
export function secret(value: unknown): object {
  return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}

/** The result of running a program. */
export interface ProgramRun<Result> {
  readonly result: Result;
  readonly registrations: readonly Registration[];
  /** Returns the registration of the resource with this name. */
  registration(name: string): Registration;
}

/** Options of a run. */
export interface ProgramOptions {
  readonly preview?: boolean;
  readonly config?: Readonly<Record<string, string>>;
  readonly secretKeys?: readonly string[];
  /** Outputs that the provider adds to the inputs of each resource. */
  readonly state?: Readonly<Record<string, unknown>>;
  /** The stack's id, empty if the engine does not know it yet. Default: `agb-id`. */
  readonly stackId?: string;
  /** Ids of resources, by name; empty if the engine does not know it yet. Default: the name and `-id`. */
  readonly ids?: Readonly<Record<string, string>>;
  /** Whether look-up functions ask AGB, as with a real engine, instead of Pulumi's mocks. Default: false. */
  readonly asksAgb?: boolean;
}

/** The parts of the engine protocol's requests that are used here. */
interface Request {
  getType(): string;
  getName(): string;
  getProvider(): string;
  getId?(): string;
  getObject?(): { toJavaScript(): Record<string, unknown> } | undefined;
  getProperties?(): { toJavaScript(): Record<string, unknown> } | undefined;
  getEnvvarmappingsMap?(): { toObject(): [string, string][] };
  getDependenciesList?(): string[];
  getDeletebeforereplace?(): boolean;
  getPropertydependenciesMap?(): { forEach(visit: (dependencies: { getUrnsList(): string[] }) => void): void };
}

/** Records all registrations. Pulumi's mocks alone do not show which part of a property is secret. */
function recordRegistrations(engine: MockMonitor): Registration[] {
  const registrations: Registration[] = [];
  for (const method of ["registerResource", "readResource"] as const) {
    const original = engine[method].bind(engine);
    engine[method] = (request: Request, callback) => {
      const registration = {
        type: request.getType(),
        name: request.getName(),
        inputs: (request.getObject?.() ?? request.getProperties?.())?.toJavaScript() ?? {},
        id: request.getId?.() || undefined,
        provider: request.getProvider() || undefined,
        environmentMappings: Object.fromEntries(request.getEnvvarmappingsMap?.().toObject() ?? []),
      };
      const dependencies = [...(request.getDependenciesList?.() ?? [])];
      request.getPropertydependenciesMap?.().forEach((ofProperty) => {
        dependencies.push(...ofProperty.getUrnsList());
      });
      const hidden = {
        dependencies: { value: dependencies },
        deletesFirst: { value: request.getDeletebeforereplace?.() ?? false },
      };
      registrations.push(Object.defineProperties(registration, hidden) as Registration);
      return original(request, callback);
    };
  }
  return registrations;
}

/** Registers resources as the mocks do. It is no `MockMonitor`, so a program takes it for the engine of a real run. */
function withoutMocks(mocks: MockMonitor): MockMonitor {
  const methods = ["invoke", "readResource", "registerResource", "registerResourceOutputs", "supportsFeature"] as const;
  return Object.fromEntries(methods.map((name) => [name, mocks[name].bind(mocks)])) as unknown as MockMonitor;
}

/**
 * Runs a program in project `shop` and stack `dev` without an engine. Outputs are the inputs plus `state`. Warnings go to
 * `console.warn`, as always when Pulumi has no engine.
 */
export async function runProgram<Result>(
  program: () => Result,
  {
    preview = false,
    config = {},
    secretKeys = [],
    state = {},
    stackId = "agb-id",
    ids = {},
    asksAgb = false,
  }: ProgramOptions = {},
): Promise<ProgramRun<Result>> {
  const mocks: pulumi.runtime.Mocks = {
    call: () => ({}),
    newResource: ({ name, inputs, id }) =>
      name === "agb"
        ? { id: stackId, state: {} }
        : { id: id || (ids[name] ?? `${name}-id`), state: { ...inputs, ...state } },
  };
  await pulumi.runtime.setMocks(mocks, "shop", "dev", preview);
  const monitor = getMonitor() as unknown as MockMonitor;
  const registrations = recordRegistrations(monitor);
  if (asksAgb) {
    setMockOptions(withoutMocks(monitor), "shop", "dev", preview);
  }
  // Pulumi exports the second parameter at run time but leaves it out of its types.
  const setAllConfig: (config: Record<string, string>, secretKeys: string[]) => void = pulumi.runtime.setAllConfig;
  setAllConfig({ ...config }, [...secretKeys]);
  const result = program();
  await pulumi.runtime.disconnect();
  return {
    result,
    registrations,
    registration(name) {
      const found = registrations.find((registered) => registered.name === name);
      if (found === undefined) {
        throw new Error(`the program registered no resource ${name}`);
      }
      return found;
    },
  };
}

/** Waits for the value of an output. */
export function outputValue<Value>(output: pulumi.Output<Value>): Promise<pulumi.Unwrap<Value>> {
  return new Promise((resolve) => {
    pulumi.output(output).apply((value) => resolve(value as pulumi.Unwrap<Value>));
  });
}
