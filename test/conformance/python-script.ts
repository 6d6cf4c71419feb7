import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const timeLimitMs = 200_000;

/** The service that a script uses. */
export interface ScriptTarget {
  readonly endpoint: string;
  readonly apiKey: string;
  /** Advances the service's clock. `undefined` if that is not possible. */
  readonly advance: ((ms: number) => void) | undefined;
}

/**
 * Runs a script in `python/` and waits for its end.
 *
 * @throws Error with its output when its exit code is not 0 or it takes too long
 */
export async function runScript(
  python: string,
  name: string,
  { endpoint, apiKey, advance }: ScriptTarget,
  variables: Readonly<Record<string, string>> = {},
) {
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
      ...variables,
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
