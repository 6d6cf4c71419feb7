import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, type EmulatorOptions, startEmulator } from "../../provider/emulator";

/** A folder of the present test, and emulators that keep their state in it. */
export interface StateFolder {
  readonly folder: string;
  /** Of the emulators that `start` starts, unless their options say otherwise. */
  statePath: string;
  /** Starts an emulator that ends with the test. */
  start(options?: EmulatorOptions): Promise<Emulator>;
  /** Starts an emulator on a copy of the state file, as it would find it had the first one been killed now. */
  startOnCopy(options?: EmulatorOptions): Promise<Emulator>;
}

/** Gives each test of the file a new folder. */
export function useStateFolder(): StateFolder {
  const running: Emulator[] = [];
  const state = {
    folder: "",
    statePath: "",
    async start(options: EmulatorOptions = {}) {
      const emulator = await startEmulator({ statePath: state.statePath, ...options });
      running.push(emulator);
      return emulator;
    },
    async startOnCopy(options: EmulatorOptions = {}) {
      const statePath = join(state.folder, `copy-${running.length}.json`);
      writeFileSync(statePath, readFileSync(state.statePath));
      return state.start({ ...options, statePath });
    },
  };
  beforeEach(() => {
    state.folder = mkdtempSync(join(tmpdir(), "agb-emulator-"));
    state.statePath = join(state.folder, "state.json");
  });
  afterEach(async () => {
    await Promise.allSettled(running.splice(0).map((emulator) => emulator.close()));
    rmSync(state.folder, { recursive: true, force: true });
  });
  return state;
}
