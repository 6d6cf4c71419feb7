import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const timeLimitMs = 200_000;

/** Where a script finds the service, and whether its time can be moved. */
export interface ScriptTarget {
  readonly endpoint: string;
  readonly apiKey: string;
  /** Lets the service's time pass; undefined when it cannot. */
  readonly advance: ((ms: number) => void) | undefined;
}

/**
 * Runs one of the scripts in `python/` and waits for its end.
 *
 * @throws Error with everything it printed when it ends with another exit code than 0 or takes too long
 */
export async function runScript(python: string, name: string, { endpoint, apiKey, advance }: ScriptTarget) {
  const folder = mkdtempSync(join(tmpdir(), "agb-conformance-"));
  const child = spawn(python, ["-B", join(__dirname, "python", `${name}.py`)], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      AGB_ENDPOINT: endpoint,
      AGB_API_KEY: apiKey,
      CAN_MOVE_CLOCK: advance === undefined ? "0" : "1",
      PYTHONUTF8: "1",
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), timeLimitMs);
  const output: string[] = [];
  child.stdin.on("error", () => {});
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk.toString()));
  createInterface({ input: child.stdout }).on("line", (line) => {
    const request = /^\{"advanceMs": (\d+)\}$/.exec(line);
    if (request === null) {
      output.push(`${line}\n`);
      return;
    }
    advance?.(Number(request[1]));
    child.stdin.write("advanced\n");
  });
  try {
    const [code] = await once(child, "close");
    if (code !== 0) {
      throw new Error(`${name}.py ended with ${code ?? "a signal"}:\n${output.join("").slice(-6000)}`);
    }
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}
