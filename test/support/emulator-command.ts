import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { repositoryRoot } from "./node-process";

/** A folder of the present test, and commands that use it for temporary files. */
export interface CommandFolder {
  readonly folder: string;
  /** Starts the built command; it ends with the test. */
  run(...args: string[]): ChildProcess;
  /** The same with more environment variables. */
  runIn(environment: Readonly<Record<string, string>>, ...args: string[]): ChildProcess;
  /** Lets a process end with the test. */
  add(child: ChildProcess): ChildProcess;
}

/** The built command. It starts in a quarter of the time that its sources take. `npm test` builds first. */
export const builtCommand = join(repositoryRoot, "dist", "cli", "main.js");

/** Gives each test of the file a new folder. */
export function useCommandFolder(): CommandFolder {
  const children: ChildProcess[] = [];
  const command = {
    folder: "",
    run: (...args: string[]) => command.runIn({}, ...args),
    runIn: (environment: Readonly<Record<string, string>>, ...args: string[]) =>
      command.add(
        spawn(process.execPath, [builtCommand, ...args], {
          cwd: repositoryRoot,
          stdio: ["ignore", "pipe", "pipe"],
          env: { ...process.env, TMPDIR: command.folder, ...environment },
        }),
      ),
    add(child: ChildProcess) {
      children.push(child);
      return child;
    },
  };
  beforeEach(() => {
    command.folder = mkdtempSync(join(tmpdir(), "agb-emulator-"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
    }
    rmSync(command.folder, { recursive: true, force: true });
  });
  return command;
}

/** Waits for the first line on stdout and returns the address in it. */
export async function listening(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> })) {
    expect(line).toMatch(/^AGB emulator listening on http:\/\/127\.0\.0\.1:\d+$/);
    return line.slice(line.lastIndexOf(" ") + 1);
  }
  throw new Error("the emulator ended before it listened");
}

/** Waits for the end of a process. */
export async function finished(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}
