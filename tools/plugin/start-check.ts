import { spawn } from "node:child_process";

/** Only a program that hangs takes this long. */
const limitMs = 120_000;

/**
 * Starts a plugin as Pulumi does, waits for its port and ends it.
 *
 * @param path a program, on Windows also a `.cmd` file
 * @param environment default: that of this process
 * @throws Error with what the plugin printed, if it ends without a port or prints something else
 */
export async function checkThatItStarts(path: string, environment: NodeJS.ProcessEnv = process.env): Promise<void> {
  const isScript = path.endsWith(".cmd");
  // Node starts `.cmd` files only in a shell.
  const child = spawn(isScript ? `"${path}"` : path, [], { env: environment, shell: isScript });
  const limit = setTimeout(() => child.kill("SIGKILL"), limitMs);
  let [printed, errors] = ["", ""];
  child.stderr.on("data", (text) => {
    errors += text;
  });
  child.stdout.on("data", (text) => {
    printed += text;
    if (printed.includes("\n")) {
      // The plugin ends when its engine is gone.
      child.stdin.end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  }).finally(() => clearTimeout(limit));
  if (!/^\d+\r?\n$/.test(printed)) {
    throw new Error(`${path} does not start: instead of a port it printed ${JSON.stringify(printed + errors)}.`);
  }
}
