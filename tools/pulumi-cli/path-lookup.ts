import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** The name that a program's file has on this platform: `pulumi` is `pulumi.exe` on Windows. */
export function executableName(program: string): string {
  return process.platform === "win32" ? `${program}.exe` : program;
}

/** The full path of the first executable file of that name on the environment's PATH; `undefined` when there is none. */
export function findOnPath(program: string, environment: NodeJS.ProcessEnv): string | undefined {
  const directories = (environment["PATH"] ?? environment["Path"] ?? "").split(delimiter).filter(isAbsolute);
  return directories.map((directory) => join(directory, executableName(program))).find(isExecutableFile);
}

/** Whether there is a file at the path that this user may execute. */
export function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
