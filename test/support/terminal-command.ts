// The commands `sessions` and `contexts` in a folder of their own, with a fake Pulumi CLI that knows the stack dev.

import { chmod, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { testKey } from "./agb-emulator";
import { type ProcessResult, type RunningProcess, runBounded, startBounded } from "./bounded-process";
import { builtCommand } from "./emulator-command";
import { makeTemporaryFolder } from "./node-process";
import { runInTerminal, type TerminalResult } from "./pseudo-terminal";

/** A folder in which the commands run. */
export interface TerminalCommand {
  readonly folder: string;
  /** Runs the command `pulumi-agb` to its end. */
  run(...parameters: string[]): Promise<ProcessResult>;
  /** The same with more environment variables. */
  runWith(environment: Readonly<Record<string, string>>, ...parameters: string[]): Promise<ProcessResult>;
  /** Starts it. */
  start(...parameters: string[]): RunningProcess;
  /** Runs it through `sh`, as in `sh("pulumi-agb sessions list | head -1")`. */
  sh(script: string): Promise<ProcessResult>;
  /** Runs it in a terminal, see `runInTerminal`. */
  inTerminal(parameters: string, answers?: Readonly<Record<string, string>>): Promise<TerminalResult>;
}

/** What the fake Pulumi CLI knows of the stack dev. */
export interface FakeStack {
  /** Its exported state; `undefined` for no such stack. */
  readonly state: string | undefined;
  readonly config: Readonly<Record<string, string>>;
}

/** Creates a folder for the commands against a service. @param stack default: there is no Pulumi CLI */
export async function openTerminal(url: string, stack?: FakeStack): Promise<TerminalCommand> {
  const folder = await makeTemporaryFolder();
  if (stack !== undefined) {
    await writePulumi(folder, stack);
  }
  await writeFile(join(folder, "pulumi-agb"), `#!/bin/sh\nexec "${process.execPath}" "${builtCommand}" "$@"\n`);
  await chmod(join(folder, "pulumi-agb"), 0o755);
  const environment = {
    PATH: [folder, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
    AGB_API_KEY: testKey,
    AGB_ENDPOINT: url,
  };
  const bounds = { directory: folder, environment, timeoutMs: 120_000 };
  const runWith: TerminalCommand["runWith"] = (more, ...parameters) =>
    runBounded(process.execPath, [builtCommand, ...parameters], {
      ...bounds,
      environment: { ...environment, ...more },
    });
  return {
    folder,
    run: (...parameters) => runWith({}, ...parameters),
    runWith,
    start: (...parameters) => startBounded(process.execPath, [builtCommand, ...parameters], bounds),
    sh: (script) => runBounded("/bin/sh", ["-c", script], bounds),
    inTerminal: (parameters, answers) => runInTerminal(`pulumi-agb ${parameters}`, folder, environment, answers),
  };
}

async function writePulumi(folder: string, { state, config }: FakeStack): Promise<void> {
  const values = Object.fromEntries(Object.entries(config).map(([key, value]) => [key, { value }]));
  await writeFile(join(folder, "config.json"), JSON.stringify(values));
  await writeFile(join(folder, "state.json"), state ?? "");
  const script = `#!/bin/sh
case "$1" in
  config) exec cat "${folder}/config.json" ;;
  stack) test -s "${folder}/state.json" || exit 6; exec cat "${folder}/state.json" ;;
esac
exit 255
`;
  await writeFile(join(folder, "pulumi"), script);
  await chmod(join(folder, "pulumi"), 0o755);
}
