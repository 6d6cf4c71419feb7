// Makes one executable of Node and the plugin's code, with Node's single executable applications.

import { execFile } from "node:child_process";
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Only a program that hangs takes this long. */
const limitMs = 300_000;
// Node looks for this string in itself to see whether it has a program. From Node's documentation.
const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/**
 * Puts a program into a copy of the Node that runs this process. The same Node and program give the same bytes, except on macOS
 * and Windows, where nobody has compared them.
 *
 * @returns the content of the executable
 * @throws Error if this Node needs libraries of its system, or if a tool fails
 */
export async function buildExecutable(code: string): Promise<Buffer> {
  requireWholeNode(process.config.variables);
  const folder = await mkdtemp(join(tmpdir(), "agb-executable-"));
  try {
    const inFolder = { cwd: folder, timeout: limitMs };
    // Relative paths, because the executable contains that of the program.
    const settings = {
      main: "pulumi-resource-agb.cjs",
      output: "program.blob",
      disableExperimentalSEAWarning: true,
      // Node then starts the program without compiling it.
      useCodeCache: true,
    };
    await writeFile(join(folder, settings.main), code);
    await writeFile(join(folder, "settings.json"), JSON.stringify(settings));
    // Compiled code contains hashes of strings. Without a seed they are different in each run.
    await run(process.execPath, ["--random-seed=1", "--experimental-sea-config", "settings.json"], inFolder);

    const path = join(folder, "executable");
    await copyFile(process.execPath, path);
    await chmod(path, 0o755);
    const isMac = process.platform === "darwin";
    if (isMac) {
      await run("codesign", ["--remove-signature", path], inFolder);
    }
    const postject = require.resolve("postject/dist/cli.js");
    const segment = isMac ? ["--macho-segment-name", "NODE_SEA"] : [];
    const parameters = ["NODE_SEA_BLOB", settings.output, "--sentinel-fuse", fuse, ...segment];
    await run(process.execPath, [postject, path, ...parameters], inFolder);
    if (isMac) {
      // macOS does not run a program without a signature.
      await run("codesign", ["--sign", "-", path], inFolder);
    }
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Refuses a Node of which a copy would not run on another machine. */
export function requireWholeNode(buildVariables: object): void {
  const shared = Object.entries(buildVariables).flatMap(([name, value]) =>
    /^node_shared(?:_|$)/.test(name) && (value === true || value === "true") ? [name] : [],
  );
  if (shared.length > 0) {
    throw new Error(
      `No executable was built: this Node.js needs libraries of its system (${shared.join(", ")}), so a copy does not run on other machines. Use a Node.js from nodejs.org, or build only the bundle: npm run package:plugin -- --bundle-only`,
    );
  }
}
