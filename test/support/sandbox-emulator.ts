import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, type EmulatorOptions, ManualClock, startEmulator } from "../../provider/emulator";
import { commandLines } from "./command-lines";
import { runShell } from "./emulator-requests";

/** A folder and a clock of the present test, and the emulator that it started last, which allows tools. */
export interface SandboxEmulator {
  readonly folder: string;
  readonly clock: ManualClock;
  readonly emulator: Emulator;
  readonly url: string;
  /** Starts an emulator that ends with the test. */
  start(options?: EmulatorOptions): Promise<Emulator>;
}

/** Gives each test of the file a new folder and clock. */
export function useSandboxEmulator(): SandboxEmulator {
  const running: Emulator[] = [];
  let folder = "";
  let clock = new ManualClock();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "agb-emulator-"));
    clock = new ManualClock();
  });
  afterEach(async () => {
    await Promise.allSettled(running.splice(0).map((emulator) => emulator.close()));
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    get folder() {
      return folder;
    },
    get clock() {
      return clock;
    },
    get emulator() {
      return running.at(-1) as Emulator;
    },
    get url() {
      return (running.at(-1) as Emulator).url;
    },
    async start(options = {}) {
      const emulator = await startEmulator({ allowExec: true, clock, ...options });
      running.push(emulator);
      return emulator;
    },
  };
}

/** The folder of the sessions of the only state that has been at a path. */
export function sessionsFolder(statePath: string): string {
  const [name = "none"] = readdirSync(`${statePath}.sessions`);
  return join(`${statePath}.sessions`, name);
}

/** A number that no other sleep on this computer has, so that the processes of one test can be told from others. */
export function uniqueSeconds(): string {
  return String(100_000 + Math.floor(Math.random() * 900_000));
}

/**
 * Leaves processes in the background: one in the command's group, some that left it, some without an environment.
 *
 * @returns the number after `sleep` in their command lines
 */
export async function leaveProcesses(url: string, sessionId: string): Promise<string> {
  const seconds = uniqueSeconds();
  await runShell(
    url,
    sessionId,
    `sleep ${seconds} & setsid sleep ${seconds} & env -i sleep ${seconds} & env -i setsid sleep ${seconds} & setsid sh -c 'sleep ${seconds} & sleep ${seconds}' &`,
  );
  expect(commandLines()).toContain(`sleep ${seconds}`);
  return seconds;
}
