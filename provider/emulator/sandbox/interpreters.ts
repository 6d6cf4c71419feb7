import { execFile } from "node:child_process";
import { realpath } from "node:fs/promises";
import { promisify } from "node:util";

/** The programs that run code on this computer; undefined if not installed. */
export interface Interpreters {
  readonly shell: string;
  readonly bash: string | undefined;
  readonly python: string | undefined;
  readonly javascript: string;
}

/** Finds the programs on the emulator's own PATH. */
export async function findInterpreters(): Promise<Interpreters> {
  const [bash, python] = await Promise.all([
    askForPath("bash", ["-c", 'printf %s "$BASH"']),
    // The program itself, because the one on the PATH may be a script that picks a version by its own rules.
    askForPath("python3", ["-I", "-c", "import os, sys; print(os.path.realpath(sys.executable))"]),
  ]);
  return { shell: bash ?? "/bin/sh", bash, python, javascript: await realpath(process.execPath) };
}

async function askForPath(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args], { timeout: 10_000 });
    return await realpath(stdout.trim());
  } catch {
    return undefined;
  }
}
