import type { Emulator } from "../../provider/emulator";
import { newStackId, ownerLabels, ownershipKeys } from "../../provider/lifecycle/ownership";
import type { ProviderObjects } from "./provider-objects";
import { type Properties, provider, Stack, type State, sorted } from "./session-stack";

/** What a program declares: arguments by resource name. */
export type Program = Readonly<Record<string, Record<string, unknown>>>;

/** A stack of sessions and its state, which `up` brings to what a program declares, step by step as Pulumi does. */
export class WholeStack {
  readonly states = new Map<string, State>();
  readonly id = newStackId();
  /** Sessions that were replaced and are still to be released, which the next `up` tries again. */
  private pendingDeletes: State[] = [];

  /** @param openProvider each `up` has a provider of its own, which ends with it */
  constructor(
    private readonly openProvider: (stackId: string) => ProviderObjects,
    private readonly emulator: Emulator,
  ) {}

  /** Ids of all sessions that the state knows. */
  knownIds(): Set<string> {
    return new Set([...this.states.values(), ...this.pendingDeletes].map(({ id }) => id));
  }

  /**
   * Refreshes, then makes, changes and releases sessions, as `refresh: always` and `--continue-on-error` do.
   *
   * @returns what failed
   */
  async up(program: Program): Promise<unknown[]> {
    const objects = this.openProvider(this.id);
    const steps = new Stack(objects, this.emulator);
    const failures: unknown[] = [];
    const attempt = (work: Promise<unknown>) => work.catch((error: unknown) => failures.push(error));
    await attempt(this.refresh(steps));
    if (failures.length === 0) {
      for (const [name, args] of Object.entries(program)) {
        await attempt(this.bring(steps, name, args));
      }
      for (const state of this.pendingDeletes) {
        await attempt(this.releaseReplaced(steps, state));
      }
      for (const name of [...this.states.keys()].filter((known) => !Object.hasOwn(program, known))) {
        await attempt(this.release(steps, name));
      }
    }
    await objects.abandonCreates();
    return failures;
  }

  private async refresh(steps: Stack): Promise<void> {
    for (const [name, state] of [...this.states]) {
      const found = await steps.refresh(state);
      if (found === undefined) {
        this.states.delete(name);
      } else {
        this.states.set(name, found);
      }
    }
  }

  private async bring(steps: Stack, name: string, args: Program[string]): Promise<void> {
    const owner = ownerLabels({ project: "shop", stack: "dev", resource: name });
    const labelsAll = { ...(args["labels"] as object), ...owner, [ownershipKeys.stackId]: this.id };
    const news = { ...args, labelsAll, __provider: provider };
    const inputs = await steps.check(news);
    const old = this.states.get(name);
    if (old === undefined) {
      return this.keep(name, inputs, steps.create(news));
    }
    const { changes, replaces = [] } = await steps.diff(old, news);
    if (replaces.length > 0) {
      return this.keep(name, inputs, steps.create(news)).finally(() => {
        if (this.states.get(name) !== old) {
          this.pendingDeletes.push(old);
        }
      });
    }
    // Where the provider leaves it open, Pulumi compares the inputs.
    if (changes ?? sorted(old.inputs) !== sorted(inputs)) {
      return this.keep(name, inputs, steps.update(old, news));
    }
    this.states.set(name, { ...old, inputs });
  }

  /** An error with an id and properties leaves the session in the state, and the next `up` finishes it. */
  private async keep(name: string, inputs: Properties, work: Promise<State>): Promise<void> {
    try {
      this.states.set(name, await work);
    } catch (error) {
      const { id, properties } = error as { id?: string; properties?: Properties };
      if (id !== undefined && properties !== undefined) {
        this.states.set(name, { id, inputs, outputs: properties });
      }
      throw error;
    }
  }

  private async releaseReplaced(steps: Stack, state: State): Promise<void> {
    await steps.release(state);
    this.pendingDeletes = this.pendingDeletes.filter((other) => other !== state);
  }

  private async release(steps: Stack, name: string): Promise<void> {
    await steps.release(this.states.get(name) as State);
    this.states.delete(name);
  }
}
