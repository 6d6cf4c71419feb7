import type { Emulator } from "../../provider/emulator";
import type { Host } from "../support/resource-hosts";
import { sessionIdsOf } from "../support/stack-state";
import { createChaosProject, roundConfiguration } from "./program";
import { startChaosProxy } from "./proxy";

/** A started mode. */
export interface RunningMode {
  /** Endpoint for the provider. */
  readonly endpoint: string;
  /** Called before each kill. @returns sessions of others, which must survive the kill and the recovery */
  beforeKill(): Promise<ReadonlySet<string>>;
  /** Called after each kill, before the run that must clean up. */
  beforeRecovery(): Promise<void>;
  /** Called after that run. */
  afterRecovery(): void;
  /** Returns a line for the final report, or `undefined`. */
  describe(): string | undefined;
  close(): Promise<void>;
}

/** The circumstances in which runs are killed. */
export interface Mode {
  /** How long to continue with kills, in milliseconds. */
  readonly limitMs: number;
  /** A kill happens at a random moment within this time, in milliseconds. It grows if runs take longer. */
  readonly longestDelayMs: number;
  start(emulator: Emulator, apiKey: string, host: Host): Promise<RunningMode>;
}

const nothing: Omit<RunningMode, "endpoint"> = {
  beforeKill: async () => new Set<string>(),
  beforeRecovery: async () => undefined,
  afterRecovery: () => undefined,
  describe: () => undefined,
  close: async () => undefined,
};

/** The modes by their command-line option. `plain` is the default. */
export const modes: Readonly<Record<string, Mode>> = {
  plain: {
    limitMs: 1_200_000,
    longestDelayMs: 4_500,
    start: async ({ url }) => ({ ...nothing, endpoint: url }),
  },
  neighbour: {
    limitMs: 1_800_000,
    longestDelayMs: 4_500,
    async start({ url }, apiKey, host) {
      const neighbour = await createChaosProject(host, { AGB_API_KEY: apiKey, AGB_ENDPOINT: url });
      await neighbour.configure(roundConfiguration(0));
      let rounds = 0;
      return {
        ...nothing,
        endpoint: url,
        async beforeKill() {
          // AGB releases idle sessions after minutes, and so does the emulator.
          await neighbour.up();
          rounds += 1;
          return new Set(Object.values(sessionIdsOf(await neighbour.exportState())).map(String));
        },
        describe: () => `a stack with the same names in another backend survived ${rounds} kills and sweeps`,
        close: () => neighbour.close(),
      };
    },
  },
  proxy: {
    // A create whose request was lost takes a minute longer, because it searches for its session.
    limitMs: 1_800_000,
    longestDelayMs: 9_000,
    async start(emulator) {
      const proxy = await startChaosProxy(emulator.url);
      return {
        ...nothing,
        endpoint: proxy.url,
        async beforeRecovery() {
          proxy.setFaulty(false);
          // The proxy may still hold a create. It must reach the emulator before the sweep.
          await proxy.idle();
        },
        afterRecovery: () => proxy.setFaulty(true),
        describe: () => `faults of the proxy: ${JSON.stringify(proxy.faultCounts)}`,
        close: () => proxy.close(),
      };
    },
  },
};
