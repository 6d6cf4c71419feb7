import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** Returns the file name of a program on this platform, such as `pulumi.exe` on Windows. */
export function executableName(program: string): string {
  return process.platform === "win32" ? `${program}.exe` : program;
}

/** Returns the full path of the first executable file with that name on PATH, or `undefined`. */
export function findOnPath(program: string, environment: NodeJS.ProcessEnv): string | undefined {
  const directories = (environment["PATH"] ?? environment["Path"] ?? "").split(delimiter).filter(isAbsolute);
  return directories.map((directory) => join(directory, executableName(program))).find(isExecutableFile);
}

/** Returns whether there is a file at the path that this user may execute. */
export function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
