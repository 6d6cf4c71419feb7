import type { EmulatorOptions } from "../../provider/emulator";
import type { DynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import { type Clock, systemClock } from "../../provider/lifecycle/wait";
import { providerReference } from "../../provider/resources/reference";
import { startTestEmulator, testKey } from "./agb-emulator";
import { createId, runShell } from "./emulator-requests";
import type { ProviderObjects } from "./provider-objects";
import { type Host, openHost, testStackId } from "./resource-hosts";

type Properties = Record<string, unknown>;

/** What Pulumi keeps of a command between two runs. */
export interface CommandEntry {
  readonly id: string;
  readonly outputs: Properties;
}

/** What the resource class adds. */
const added = { stackId: testStackId, __resource: "build", __provider: providerReference("command") };

/** Plays Pulumi's part for one command in one session of an emulator. */
export class CommandStack {
  constructor(
    readonly objects: ProviderObjects,
    readonly url: string,
    readonly sessionId: string,
  ) {}

  get provider(): DynamicProvider {
    return this.objects.command;
  }

  /** What the resource class hands over. */
  declare(args: Properties): Properties {
    return { sessionId: this.sessionId, ...args, ...added };
  }

  async check(args: Properties): Promise<Properties> {
    const { inputs, failures = [] } = await this.provider.check({}, this.declare(args));
    if (failures.length > 0) {
      throw new Error(failures.map(({ reason }) => reason).join("\n"));
    }
    return carried(inputs);
  }

  async create(args: Properties): Promise<CommandEntry> {
    const { id, outs } = await this.provider.create(await this.check(args));
    return { id, outputs: carried(outs) };
  }

  async diff({ id, outputs }: CommandEntry, args: Properties) {
    return this.provider.diff(id, outputs, await this.check(args));
  }

  async update({ id, outputs }: CommandEntry, args: Properties): Promise<CommandEntry> {
    const { outs } = await this.provider.update(id, outputs, await this.check(args));
    return { id, outputs: carried(outs) };
  }

  /** What a refresh makes of the state; the marker of Pulumi itself is gone then. */
  async refresh({ id, outputs }: CommandEntry): Promise<CommandEntry> {
    const { props } = await this.provider.read(id, outputs);
    return { id, outputs: carried(props ?? {}) };
  }

  async delete({ id, outputs }: CommandEntry): Promise<void> {
    await this.provider.delete(id, outputs);
  }

  /** Runs a script in the session. @returns its standard output */
  async inSession(script: string): Promise<string> {
    return (await runShell(this.url, this.sessionId, script)).stdout;
  }
}

/** The error and the state that an operation leaves which fails although the resource exists. */
export async function unfinishedBy(work: Promise<unknown>): Promise<{ reason: string; entry: CommandEntry }> {
  const failure = await work.then(
    () => undefined,
    (error: { id?: string; properties?: Properties; reasons?: string[] }) => error,
  );
  if (failure?.id === undefined) {
    throw failure ?? new Error("nothing failed");
  }
  return {
    reason: (failure.reasons ?? []).join("\n"),
    entry: { id: failure.id, outputs: carried(failure.properties ?? {}) },
  };
}

/** An emulator that allows tools, a session in it, and the provider objects. */
export async function openCommandStack({
  host = "dynamic",
  ...options
}: EmulatorOptions & { readonly host?: Host } = {}) {
  const emulator = await startTestEmulator({ allowExec: true, apiKeys: [testKey, "test-key"], ...options });
  const sessionId = await createId(emulator.url);
  return { emulator, sessionId, stack: openCommands(emulator.url, sessionId, systemClock, host) };
}

/** Another provider for the same session, as a later run has. */
export function openCommands(
  url: string,
  sessionId: string,
  clock: Clock = systemClock,
  host: Host = "dynamic",
): CommandStack {
  const objects = openHost(host, { AGB_API_KEY: testKey, AGB_ENDPOINT: url }, clock);
  objects.configure({});
  return new CommandStack(objects, url, sessionId);
}

// Between two methods everything is a message of the engine's protocol.
function carried(properties: Properties): Properties {
  return JSON.parse(JSON.stringify(properties)) as Properties;
}
