import type { DynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import { failingAsDynamic, pluginObjects, pluginSettings } from "./plugin-objects";
import { startPluginProcess } from "./plugin-process";
import type { KindObjects } from "./provider-objects";
import { ProviderProcess } from "./provider-process";
import { type Host, testStackId } from "./resource-hosts";

/** The methods of a kind that tests of processes call. */
type ProcessObject = Omit<DynamicProvider, "configure" | "diff">;

/** A process that serves the resources of a stack, spoken to as the engine does. */
export interface HostProcess extends Readonly<Record<keyof KindObjects, ProcessObject>> {
  /** Takes over the configuration of a stack. */
  configure(config: Readonly<Record<string, string>>): Promise<void>;
  /** Everything that the process has told its user so far, besides its replies. */
  said(): string;
  /** What the process has written to its output after the line with its port. */
  printed(): string;
  /** Ends the standard input, as the death of the engine does. */
  endInput(): void;
  /** Sends the process a signal. */
  signal(name: NodeJS.Signals): void;
  /** Waits until the process has ended. @returns its exit code, or the name of the signal that ended it */
  ended(): Promise<number | NodeJS.Signals | null>;
  /** Ends the process and waits for the last of its output. */
  close(): Promise<void>;
}

/** Starts the process of a host. It ends with the test. */
export async function startHostProcess(
  host: Host,
  environment: Readonly<Record<string, string>>,
  { input = "pipe" }: { readonly input?: "ignore" | "pipe" } = {},
): Promise<HostProcess> {
  return host === "dynamic"
    ? dynamicProcess(await ProviderProcess.start(environment, { input }))
    : startPlugin(environment, input);
}

function dynamicProcess(child: ProviderProcess): HostProcess {
  // Pulumi's process finds the kind of a resource in its properties.
  const object: ProcessObject = {
    check: async (olds, news) => {
      const { inputs, failures } = await failingAsDynamic(child.check(olds, news), news);
      return { inputs, failures };
    },
    create: async (inputs) => {
      const { id, properties } = await failingAsDynamic(child.create(inputs), inputs);
      return { id, outs: properties };
    },
    read: async (id, known = {}) => {
      const { id: found, properties, inputs } = await failingAsDynamic(child.read(id, known), known);
      return found === "" ? {} : { id: found, props: properties, ...(inputs && { inputs }) };
    },
    update: async (id, olds, news) => ({ outs: await failingAsDynamic(child.update(id, olds, news), news) }),
    delete: (id, known) => failingAsDynamic(child.delete(id, known), known),
  };
  return {
    session: object,
    context: object,
    command: object,
    file: object,
    configure: (config) => child.configure(config),
    said: () => child.stderr,
    printed: () => child.stdout,
    endInput: () => child.endInput(),
    signal: (name) => child.signal(name),
    ended: () => child.ended(),
    close: () => child.close(),
  };
}

async function startPlugin(
  environment: Readonly<Record<string, string>>,
  input: "ignore" | "pipe",
): Promise<HostProcess> {
  const { plugin, engine, stdout, stderr, ...child } = await startPluginProcess(environment, { input });
  return {
    ...pluginObjects(async () => plugin),
    ...child,
    configure: async (config) => {
      await plugin.configure(pluginSettings(config), testStackId);
    },
    said: () => [...engine.logged.map(({ message }) => `agb: ${message}\n`), stderr()].join(""),
    printed: () => stdout().replace(/^\d+\n/, ""),
  };
}
