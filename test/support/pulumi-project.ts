// A Pulumi project for the real CLI, in a temporary folder outside the repository. It has its own backend, Pulumi home and stack,
// and does not see the AGB and Pulumi settings of this process.

import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type ProcessResult, type RunningProcess, runBounded, startBounded } from "./bounded-process";
import { pulumiCli } from "./pulumi-cli";
import type { StackState } from "./stack-state";

const repositoryDirectory = join(__dirname, "..", "..");

/** How to create a project. */
export interface PulumiProjectOptions {
  /** Folder in `examples/` whose files are copied. */
  readonly example?: string;
  /** File contents by name. They replace files of the example. */
  readonly files?: Readonly<Record<string, string>>;
  /** Environment variables of every command. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether to create a stack. Default: yes. */
  readonly hasStack?: boolean;
  /** Creates the project's `node_modules`. Default: links this checkout's, in which `pulumi-agb` is this checkout. */
  readonly install?: (projectDirectory: string) => Promise<void>;
  /** Fills the empty folder and creates the stack, instead of the options above. */
  readonly create?: (project: Pick<PulumiProject, "directory" | "succeed">) => Promise<void>;
}

/** A value of the stack's configuration. */
export type ConfigValue = string | { readonly secret: string };

/** A running job. */
export interface RunningJob extends RunningProcess {
  /** Its copy of the program's folder. */
  readonly checkout: string;
}

/** A project with one stack, ready for commands. */
export interface PulumiProject {
  /** The program's folder. */
  readonly directory: string;
  /** The folder that contains program, backend and Pulumi home. */
  readonly root: string;
  /** The stack's file in the backend. */
  readonly checkpointPath: string;
  /** Environment variables of the next commands. Tests may change them. */
  readonly environment: Record<string, string | undefined>;
  /** Returns everything that commands have printed so far. */
  transcript(): string;
  /** Writes a file of the program. */
  write(name: string, text: string): Promise<void>;
  /** Removes a file of the program. */
  remove(name: string): Promise<void>;
  /** Runs a Pulumi command. Resolves whatever its exit code is. */
  run(...parameters: string[]): Promise<ProcessResult>;
  /** Runs a Pulumi command. @throws Error with its output when it fails */
  succeed(...parameters: string[]): Promise<ProcessResult>;
  /**
   * Starts this package's command as a CI job does: in a fresh copy of the program's folder, with its own Pulumi home.
   *
   * @param environment variables in addition to those of the other commands
   * @param checkout the folder of an earlier job, to run a later step in it
   */
  startJob(
    parameters: readonly string[],
    environment?: Readonly<Record<string, string>>,
    checkout?: string,
  ): Promise<RunningJob>;
  /** Runs `pulumi up` without its preview. Later commands do not check the types of an unchanged program again. */
  up(...parameters: string[]): Promise<ProcessResult>;
  /** Runs `pulumi destroy` without its preview. */
  destroy(...parameters: string[]): Promise<ProcessResult>;
  /** Runs `pulumi refresh` without its preview. */
  refresh(...parameters: string[]): Promise<ProcessResult>;
  /** Sets values of the stack's configuration. A key may be a path such as `agb:defaultLabels.team`. */
  configure(values: Readonly<Record<string, ConfigValue>>): Promise<void>;
  /** Reads the stack's outputs. */
  // biome-ignore lint/suspicious/noExplicitAny: tests assert what the outputs contain
  outputs(): Promise<Record<string, any>>;
  /** Exports the state. */
  exportState(...parameters: string[]): Promise<StackState>;
  /** Stops everything that still runs and removes all files. */
  close(): Promise<void>;
}

/** Name of every project's stack. */
export const stackName = "test";
// Only a command that hangs takes this long, however busy the machine is.
const commandTimeoutMs = 300_000;
// Pulumi checks the types of a TypeScript program in each run, which takes seconds, unless this variable is "true".
const skipTypeCheck = "PULUMI_NODEJS_TRANSPILE_ONLY";
const packageCommand = join(repositoryDirectory, "dist", "cli", "main.js");

/** Returns the files of a project whose program is one CommonJS file, which starts faster than TypeScript. */
export function javascriptFiles(program: string): Record<string, string> {
  return {
    "Pulumi.yaml": [
      "name: engine-test",
      "runtime:",
      "  name: nodejs",
      "  options:",
      "    typescript: false",
      "options:",
      "  refresh: always",
      "",
    ].join("\n"),
    "package.json": JSON.stringify({ name: "engine-test", private: true, main: "index.js" }),
    "index.js": program,
  };
}

/** Creates a project with an empty stack. The caller must close it. */
export async function createPulumiProject(options: PulumiProjectOptions): Promise<PulumiProject> {
  const pulumi = await pulumiCli();
  // Pulumi resolves links in some paths, so a link here would show up as a different path.
  const root = await realpath(await mkdtemp(join(tmpdir(), "pulumi-agb-")));
  const [directory, home, backend] = [join(root, "program"), join(root, "home"), join(root, "backend")];
  const stop = new AbortController();
  const printed: string[] = [];
  let running: Promise<unknown> = Promise.resolve();
  const jobs: RunningProcess[] = [];
  const environment: Record<string, string | undefined> = {
    ...withoutSettings(process.env),
    PATH: [pulumi.binDirectory, process.env["PATH"] ?? ""].join(delimiter),
    PULUMI_HOME: home,
    PULUMI_BACKEND_URL: pathToFileURL(backend).href,
    PULUMI_CONFIG_PASSPHRASE: "",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    ...options.environment,
  };

  const run = async (...parameters: string[]): Promise<ProcessResult> => {
    const bounds = { directory, environment, timeoutMs: commandTimeoutMs, signal: stop.signal };
    const all = [...parameters, "--non-interactive", "--color", "never"];
    const result = runBounded(pulumi.command, all, bounds);
    running = result.catch(() => undefined);
    const { stdout, stderr } = await result;
    printed.push(stdout, stderr);
    return result;
  };
  const succeed = async (...parameters: string[]): Promise<ProcessResult> => {
    const result = await run(...parameters);
    if (result.exitCode !== 0) {
      const { exitCode, stdout, stderr } = result;
      throw new Error(`pulumi ${parameters.join(" ")} failed with exit code ${exitCode}.\n${stdout}\n${stderr}`);
    }
    return result;
  };
  const close = async () => {
    stop.abort(new Error("the project is closed"));
    await running;
    await Promise.all(jobs.map((job) => job.kill()));
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  };
  const write = async (name: string, text: string) => {
    environment[skipTypeCheck] = undefined;
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  };

  const install = options.install ?? linkNodeModules;
  const checkOut = async () => {
    const checkout = join(await mkdtemp(join(root, "job-")), "program");
    await cp(directory, checkout, { recursive: true, filter: isInRepository });
    await install(checkout);
    return checkout;
  };
  const startJob = async (
    parameters: readonly string[],
    more: Readonly<Record<string, string>> = {},
    earlierCheckout?: string,
  ) => {
    const checkout = earlierCheckout ?? (await checkOut());
    const jobEnvironment = { ...environment, PULUMI_HOME: join(dirname(checkout), "home"), ...more };
    const bounds = {
      directory: checkout,
      environment: jobEnvironment,
      timeoutMs: commandTimeoutMs,
      signal: stop.signal,
    };
    const job = startBounded(process.execPath, [packageCommand, ...parameters], bounds);
    jobs.push(job);
    return { ...job, checkout };
  };

  const fill = async () => {
    if (options.example !== undefined) {
      await copyExample(options.example, directory);
    }
    for (const [name, text] of Object.entries(options.files ?? {})) {
      await write(name, text);
    }
    await install(directory);
    if (options.hasStack ?? true) {
      await succeed("stack", "init", stackName);
    }
  };

  try {
    await Promise.all([directory, home, backend].map((path) => mkdir(path)));
    if (options.create !== undefined) {
      await options.create({ directory, succeed });
    } else {
      await fill();
    }
    const projectName = /^name:\s*(\S+)/m.exec(await readFile(join(directory, "Pulumi.yaml"), "utf8"))?.[1] ?? "";
    return {
      directory,
      root,
      checkpointPath: join(backend, ".pulumi", "stacks", projectName, `${stackName}.json`),
      environment,
      transcript: () => printed.join("\n"),
      write,
      remove: (name) => rm(join(directory, name)),
      run,
      succeed,
      startJob,
      async up(...parameters) {
        const result = await succeed("up", "--yes", "--skip-preview", ...parameters);
        environment[skipTypeCheck] = "true";
        return result;
      },
      destroy: (...parameters) => succeed("destroy", "--yes", "--skip-preview", ...parameters),
      refresh: (...parameters) => succeed("refresh", "--yes", "--skip-preview", ...parameters),
      async configure(values) {
        const pairs = Object.entries(values).flatMap(([key, value]) =>
          typeof value === "string" ? ["--plaintext", `${key}=${value}`] : ["--secret", `${key}=${value.secret}`],
        );
        await succeed("config", "set-all", "--path", ...pairs);
      },
      outputs: async () => JSON.parse((await succeed("stack", "output", "--json")).stdout),
      exportState: async (...parameters) => JSON.parse((await succeed("stack", "export", ...parameters)).stdout),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Reads all files in a folder and its subfolders, by path. */
export async function readTextsBelow(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path, "utf8")] as const)));
}

async function copyExample(name: string, directory: string): Promise<void> {
  await cp(join(repositoryDirectory, "examples", name), directory, {
    recursive: true,
    filter: isInRepository,
  });
}

/** Returns whether a path is not left over from a developer's own runs. */
function isInRepository(path: string): boolean {
  return !/node_modules$|Pulumi\.[^/\\]+\.yaml$/.test(path);
}

async function linkNodeModules(directory: string): Promise<void> {
  await symlink(join(repositoryDirectory, "node_modules"), join(directory, "node_modules"), "junction");
}

function withoutSettings(environment: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(AGB|PULUMI)_/i.test(name)));
}
