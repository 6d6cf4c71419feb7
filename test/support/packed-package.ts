// The package as a user installs it: packed, then unpacked into a project's node_modules. Beside it are only the dependencies
// that the package and the project declare.

import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { runBounded } from "./bounded-process";

const repositoryDirectory = join(__dirname, "..", "..");

/** A packed package that can be installed any number of times. */
export interface PackedPackage {
  /** File name of `npm pack`, such as `pulumi-agb-0.1.0.tgz`. */
  readonly fileName: string;
  /** Fills a project's `node_modules` with this package and with links to this checkout's copies of all declared dependencies. */
  install(projectDirectory: string): Promise<void>;
  /** Removes the packed file. */
  close(): Promise<void>;
}

/** Packs this checkout without building it. */
export async function packPackage(): Promise<PackedPackage> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "pulumi-agb-pack-")));
  let fileName: string;
  try {
    // Without scripts, because these would build again while other tests use the build.
    await run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", directory], repositoryDirectory);
    [fileName = ""] = await readdir(directory);
    await run("tar", ["-xzf", join(directory, fileName), "-C", directory], directory);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  const unpacked = join(directory, "package");
  return {
    fileName,
    async install(projectDirectory) {
      const target = join(projectDirectory, "node_modules");
      const names = new Set([
        ...(await dependenciesIn(unpacked, ["dependencies", "peerDependencies"])),
        ...(await dependenciesIn(projectDirectory, ["dependencies", "devDependencies"])),
      ]);
      names.delete("pulumi-agb");
      for (const name of names) {
        await mkdir(dirname(join(target, name)), { recursive: true });
        await symlink(join(repositoryDirectory, "node_modules", name), join(target, name), "junction");
      }
      await cp(unpacked, join(target, "pulumi-agb"), { recursive: true });
      await linkCommands(target, [...names, "pulumi-agb"]);
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Links the commands of packages into `.bin`, where `npm run` finds them. */
async function linkCommands(modules: string, names: readonly string[]): Promise<void> {
  await mkdir(join(modules, ".bin"));
  for (const name of names) {
    const { bin = {} } = JSON.parse(await readFile(join(modules, name, "package.json"), "utf8"));
    const commands = typeof bin === "string" ? { [basename(name)]: bin } : (bin as Record<string, string>);
    for (const [command, file] of Object.entries(commands)) {
      await symlink(join(modules, name, file), join(modules, ".bin", command));
    }
  }
}

async function dependenciesIn(directory: string, kinds: readonly string[]): Promise<string[]> {
  const content = JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
  return kinds.flatMap((kind) => Object.keys(content[kind] ?? {}));
}

async function run(command: string, parameters: readonly string[], directory: string): Promise<void> {
  const result = await runBounded(command, parameters, { directory, environment: process.env, timeoutMs: 60_000 });
  if (result.exitCode !== 0) {
    throw new Error(`${command} failed with exit code ${result.exitCode}.\n${result.stdout}\n${result.stderr}`);
  }
}
