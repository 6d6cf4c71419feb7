import type { DynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import { newStackId, ownerLabels, ownershipKeys } from "../../provider/lifecycle/ownership";
import type { ProviderObjects } from "./provider-objects";

type Properties = Record<string, unknown>;

/** A resource as a state holds it. */
interface StateEntry {
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/** What a program declares: arguments by resource name. */
export type Program = Readonly<Record<string, Properties>>;

/**
 * What `pulumi` does with provider objects, as far as sessions need it: refresh, then check, diff and act. Each run has a
 * provider of its own, which ends with it.
 */
export class SmallEngine {
  readonly state = new Map<string, StateEntry>();
  /** Sessions whose release failed after they were replaced; the next run tries again, as Pulumi does. */
  private readonly pendingDeletes: StateEntry[] = [];
  /** The id of the stack, as its identity resource would hold it. */
  readonly stackId = newStackId();
  private objects: ProviderObjects;

  constructor(
    private readonly openProvider: () => ProviderObjects,
    private readonly project = "shop",
    private readonly stack = "dev",
  ) {
    this.objects = openProvider();
  }

  private get provider(): DynamicProvider {
    return this.objects.session;
  }

  /** Ends the present provider. */
  close(): Promise<void> {
    return this.objects.abandonCreates();
  }

  /** Ids of all sessions that the state knows. */
  knownIds(): Set<string> {
    return new Set([...this.state.values(), ...this.pendingDeletes].map(({ id }) => id));
  }

  /** Looks at each resource, as `refresh: always` does; one that is gone leaves the state. */
  async refresh(): Promise<void> {
    for (const [name, entry] of [...this.state]) {
      const { id, props, inputs } = await this.provider.read(entry.id, entry.outputs);
      if (id === undefined || props === undefined) {
        this.state.delete(name);
      } else {
        this.state.set(name, { id, outputs: props, inputs: inputs ?? entry.inputs });
      }
    }
  }

  /**
   * Refreshes and brings everything to what the program declares, going on after failures as `--continue-on-error`
   * does.
   *
   * @returns what failed
   */
  async up(program: Program): Promise<unknown[]> {
    this.objects = this.openProvider();
    try {
      return await this.bringAll(program);
    } finally {
      await this.objects.abandonCreates();
    }
  }

  private async bringAll(program: Program): Promise<unknown[]> {
    const failures: unknown[] = [];
    const attempt = async (step: () => Promise<void>) => {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    };
    await attempt(() => this.refresh());
    if (failures.length > 0) {
      return failures;
    }
    for (const [name, args] of Object.entries(program)) {
      await attempt(() => this.bring(name, args));
    }
    for (const entry of this.pendingDeletes.splice(0)) {
      await attempt(() => this.release(entry));
    }
    for (const [name, entry] of [...this.state].filter(([name]) => !Object.hasOwn(program, name))) {
      await attempt(async () => {
        await this.provider.delete(entry.id, entry.outputs);
        this.state.delete(name);
      });
    }
    return failures;
  }

  private async bring(name: string, args: Properties): Promise<void> {
    const owner = ownerLabels({ project: this.project, stack: this.stack, resource: name });
    const labelsAll = { ...(args["labels"] as object), ...owner, [ownershipKeys.stackId]: this.stackId };
    const declared = { ...args, labelsAll };
    const old = this.state.get(name);
    const { inputs, failures = [] } = await this.provider.check(old?.inputs ?? {}, declared);
    if (failures.length > 0) {
      throw new Error(failures.map(({ reason }) => reason).join("\n"));
    }
    if (old === undefined) {
      await this.keepingPartial(name, inputs, async () => {
        const { id, outs } = await this.provider.create(inputs);
        return { id, outputs: outs, inputs };
      });
      return;
    }
    const { changes, replaces = [] } = await this.provider.diff(old.id, old.outputs, inputs);
    if (replaces.length > 0) {
      await this.keepingPartial(name, inputs, async () => {
        const { id, outs } = await this.provider.create(inputs);
        return { id, outputs: outs, inputs };
      });
      this.pendingDeletes.push(old);
    } else if (changes ?? JSON.stringify(old.inputs) !== JSON.stringify(inputs)) {
      await this.keepingPartial(name, inputs, async () => {
        const { outs } = await this.provider.update(old.id, old.outputs, inputs as never);
        return { id: old.id, outputs: outs, inputs };
      });
    } else {
      this.state.set(name, { ...old, inputs });
    }
  }

  /** An error that carries an id and properties leaves the resource in the state, to be finished by the next run. */
  private async keepingPartial(name: string, inputs: Properties, act: () => Promise<StateEntry>): Promise<void> {
    try {
      this.state.set(name, await act());
    } catch (error) {
      const { id, properties } = error as { id?: string; properties?: Properties };
      if (id !== undefined && properties !== undefined) {
        this.state.set(name, { id, outputs: properties, inputs });
      }
      throw error;
    }
  }

  private async release(entry: StateEntry): Promise<void> {
    try {
      await this.provider.delete(entry.id, entry.outputs);
    } catch (error) {
      this.pendingDeletes.push(entry);
      throw error;
    }
  }
}
