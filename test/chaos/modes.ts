import type { Emulator } from "../../provider/emulator";
import { createPulumiProject } from "../support/pulumi-project";
import { sessionIdsOf } from "../support/stack-state";
import { programFiles, roundConfiguration } from "./program";
import { startChaosProxy } from "./proxy";

/** What stands between the provider and the emulator while runs are killed. */
export interface Surroundings {
  /** Where the provider finds AGB. */
  readonly endpoint: string;
  /** Called before each kill. @returns the sessions of others, which must live through it and what follows */
  prepare(): Promise<ReadonlySet<string>>;
  /** Called after each kill, before the run that must clean up. */
  calmDown(): Promise<void>;
  /** Called when that run has ended. */
  stirUp(): void;
  /** A line on what they did, if there is something to say. */
  describe(): string | undefined;
  close(): Promise<void>;
}

/** A way to make the kills harder. */
export interface Mode {
  /** For how long kills may go on, in milliseconds. */
  readonly limitMs: number;
  /** A kill comes at a random moment before this time is over, in milliseconds; later where runs take longer. */
  readonly longestDelayMs: number;
  surround(emulator: Emulator, apiKey: string): Promise<Surroundings>;
}

const nothing: Omit<Surroundings, "endpoint"> = {
  prepare: async () => new Set<string>(),
  calmDown: async () => undefined,
  stirUp: () => undefined,
  describe: () => undefined,
  close: async () => undefined,
};

/** The modes by the option that chooses them; `plain` without one. */
export const modes: Readonly<Record<string, Mode>> = {
  plain: {
    limitMs: 1_200_000,
    longestDelayMs: 4_500,
    surround: async ({ url }) => ({ ...nothing, endpoint: url }),
  },
  neighbour: {
    limitMs: 1_800_000,
    longestDelayMs: 4_500,
    async surround({ url }, apiKey) {
      const environment = { AGB_API_KEY: apiKey, AGB_ENDPOINT: url };
      const neighbour = await createPulumiProject({ files: programFiles, environment });
      await neighbour.configure(roundConfiguration(0));
      let rounds = 0;
      return {
        ...nothing,
        endpoint: url,
        async prepare() {
          // AGB releases idle sessions after minutes, and so does the emulator.
          await neighbour.up();
          rounds += 1;
          return new Set(Object.values(sessionIdsOf(await neighbour.exportState())).map(String));
        },
        describe: () => `a stack of the same names in another backend lived through ${rounds} kills and sweeps`,
        close: () => neighbour.close(),
      };
    },
  },
  proxy: {
    // Where a request was lost, its create is followed by a search of a minute.
    limitMs: 1_800_000,
    longestDelayMs: 9_000,
    async surround(emulator) {
      const proxy = await startChaosProxy(emulator.url);
      return {
        ...nothing,
        endpoint: proxy.url,
        async calmDown() {
          proxy.setCalm(true);
          // A create that the proxy still holds would be made after the sweep.
          await proxy.idle();
        },
        stirUp: () => proxy.setCalm(false),
        describe: () => `the proxy struck: ${JSON.stringify(proxy.struck)}`,
        close: () => proxy.close(),
      };
    },
  },
};
