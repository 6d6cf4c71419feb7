import type { Emulator } from "../../provider/emulator";
import { startChaosProxy } from "./proxy";

/** What stands between the provider and the emulator while runs are killed. */
export interface Surroundings {
  /** Where the provider finds AGB. */
  readonly endpoint: string;
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
  surround(emulator: Emulator): Promise<Surroundings>;
}

/** The modes by the option that chooses them; `plain` without one. */
export const modes: Readonly<Record<string, Mode>> = {
  plain: {
    limitMs: 1_200_000,
    longestDelayMs: 4_500,
    surround: async ({ url }) => ({
      endpoint: url,
      calmDown: async () => undefined,
      stirUp: () => undefined,
      describe: () => undefined,
      close: async () => undefined,
    }),
  },
  proxy: {
    // Where a request was lost, its create is followed by a search of a minute.
    limitMs: 1_800_000,
    longestDelayMs: 9_000,
    async surround(emulator) {
      const proxy = await startChaosProxy(emulator.url);
      return {
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
