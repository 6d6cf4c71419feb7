// A Pulumi project in a temporary folder outside the repository, with a backend, a Pulumi home and a stack of its own, on
// which the real CLI runs. It sees none of this process's AGB or Pulumi settings.

import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type ProcessResult, type RunningProcess, runBounded, startBounded } from "./bounded-process";
import { pulumiCli } from "./pulumi-cli";
import type { StackState } from "./stack-state";

const repositoryDirectory = join(__dirname, "..", "..");

/** How a project is made. */
export interface PulumiProjectOptions {
  /** Folder below `examples/` whose files are copied. */
  readonly example?: string;
  /** Texts by file name, written over the example's. */
  readonly files?: Readonly<Record<string, string>>;
  /** Environment variables of every command. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether the project begins with a stack of its own. Default: yes. */
  readonly hasStack?: boolean;
  /** Makes the project's `node_modules`. Default: a link to this checkout's, where `pulumi-agb` is this checkout. */
  readonly install?: (projectDirectory: string) => Promise<void>;
  /** Fills the empty folder and makes the stack, in place of all that the options above say of files. */
  readonly create?: (project: Pick<PulumiProject, "directory" | "succeed">) => Promise<void>;
}

/** A value for the stack's configuration. */
export type ConfigValue = string | { readonly secret: string };

/** A job that runs. */
export interface RunningJob extends RunningProcess {
  /** Its copy of the program's folder. */
  readonly checkout: string;
}

/** A project with one stack, ready for commands. */
export interface PulumiProject {
  /** The program's folder. */
  readonly directory: string;
  /** The folder of everything: program, backend and Pulumi home. */
  readonly root: string;
  /** The stack's file in the backend. */
  readonly checkpointPath: string;
  /** Environment variables of the commands to come; may be changed. */
  readonly environment: Record<string, string | undefined>;
  /** Everything that commands have printed so far. */
  transcript(): string;
  /** Writes a file of the program. */
  write(name: string, text: string): Promise<void>;
  /** Removes a file of the program. */
  remove(name: string): Promise<void>;
  /** Runs a Pulumi command; the exit code is the caller's to judge. */
  run(...parameters: string[]): Promise<ProcessResult>;
  /** Runs a Pulumi command. @throws Error with all that it printed when it fails */
  succeed(...parameters: string[]): Promise<ProcessResult>;
  /**
   * Starts this package's command as a job of a CI system does: in a fresh copy of the program's folder, with a Pulumi
   * home of its own.
   *
   * @param environment variables beside those of the other commands
   * @param checkout the folder of an earlier job, for a step that follows in it
   */
  startJob(
    parameters: readonly string[],
    environment?: Readonly<Record<string, string>>,
    checkout?: string,
  ): Promise<RunningJob>;
  /** `pulumi up` without its preview. */
  up(...parameters: string[]): Promise<ProcessResult>;
  /** `pulumi destroy` without its preview. */
  destroy(...parameters: string[]): Promise<ProcessResult>;
  /** `pulumi refresh` without its preview. */
  refresh(...parameters: string[]): Promise<ProcessResult>;
  /** Sets values of the stack's configuration; a key may be a path such as `agb:defaultLabels.team`. */
  configure(values: Readonly<Record<string, ConfigValue>>): Promise<void>;
  /** The stack's outputs. */
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what the tests are about
  outputs(): Promise<Record<string, any>>;
  /** The exported state. */
  exportState(...parameters: string[]): Promise<StackState>;
  /** Ends what still runs and removes all files. */
  close(): Promise<void>;
}

/** The stack of every project. */
export const stackName = "test";
const commandTimeoutMs = 120_000;
const packageCommand = join(repositoryDirectory, "dist", "cli", "main.js");

/** Files of a project whose program is one CommonJS file, the kind that starts quickest. */
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

/** Makes a project with an empty stack. Whoever makes it must close it. */
export async function createPulumiProject(options: PulumiProjectOptions): Promise<PulumiProject> {
  const pulumi = await pulumiCli();
  // Pulumi names some paths by what they really are, so a link in the path would show up as another path.
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
      up: (...parameters) => succeed("up", "--yes", "--skip-preview", ...parameters),
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

/** Texts of all files below a folder, by path. */
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

/** Leaves out what a developer's own runs left there. */
function isInRepository(path: string): boolean {
  return !/node_modules$|Pulumi\.[^/\\]+\.yaml$/.test(path);
}

async function linkNodeModules(directory: string): Promise<void> {
  await symlink(join(repositoryDirectory, "node_modules"), join(directory, "node_modules"), "junction");
}

function withoutSettings(environment: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(AGB|PULUMI)_/i.test(name)));
}
