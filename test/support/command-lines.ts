import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Returns the command lines of all processes of this computer, one per line. */
export function commandLines(): string {
  if (!existsSync("/proc/self/cmdline")) {
    return execFileSync("ps", ["-eo", "args"]).toString();
  }
  const lines = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      } catch {
        return "";
      }
    });
  return lines.join("\n");
}

/** Returns whether a process with the string in its command line still runs after about a second. */
export async function outlives(text: string): Promise<boolean> {
  for (let round = 0; round < 200; round += 1) {
    if (!commandLines().includes(text)) {
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}
