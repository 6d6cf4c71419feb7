// The languages in which tests declare resources of the plugin, each with its language host and the SDK that Pulumi generates
// from the committed schema.

import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { schemaPath } from "../../tools/plugin/schema-path";
import { findLanguageTool, type LanguageTool } from "../../tools/pulumi-cli/find-language-tool";
import { findGoVersionProblem } from "../../tools/pulumi-cli/go-build";
import { runBounded } from "./bounded-process";
import { writePlugin } from "./plugin-file";
import { createPulumiProject, type PulumiProject, type PulumiProjectOptions } from "./pulumi-project";
import { findPython, installPythonPackages } from "./python-environment";

const repositoryDirectory = join(__dirname, "..", "..");
const noCommand = { timeoutMs: 600_000, signal: new AbortController().signal };

/** A language with an example. */
export type LanguageName = "YAML" | "Python" | "Go";

/** A language of programs that use the plugin. */
export type PluginLanguage = LanguageName | "TypeScript";

/** What a language needs to run programs. */
interface LanguageSetup {
  /** The language host. The one for Node.js comes with the CLI. */
  readonly host?: LanguageTool;
  /** Prepares a folder that holds what all projects share. */
  prepare(shared: string): Promise<SharedSetup>;
}

interface SharedSetup {
  /** Folders that come first on the path. */
  readonly path: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Puts the SDK into a program's folder. */
  install(projectDirectory: string): Promise<void>;
}

/** Folder in `examples/` and the program's file. */
const examples: Readonly<Record<LanguageName, { readonly example: string; readonly file: string }>> = {
  YAML: { example: "yaml", file: "Pulumi.yaml" },
  Python: { example: "python", file: "__main__.py" },
  Go: { example: "go", file: "main.go" },
};

const setups: Readonly<Record<PluginLanguage, LanguageSetup>> = {
  YAML: {
    host: "language-yaml",
    prepare: async () => ({ path: [], environment: {}, install: async () => {} }),
  },
  Python: {
    host: "language-python",
    async prepare(shared) {
      const python = findPython();
      if (python === undefined) {
        throw new Error("there is no Python");
      }
      const programs = await installPythonPackages(python, "pulumi-python", join(__dirname, "pulumi-requirements.txt"));
      const installed = join(shared, "installed");
      await installPythonSdk(join(programs, "python"), await generateSdk("python", shared), installed);
      return { path: [programs], environment: { PYTHONPATH: installed }, install: async () => {} };
    },
  },
  Go: {
    host: "language-go",
    async prepare(shared) {
      const sdk = await generateSdk("go", shared);
      const install = (project: string) => cp(sdk, join(project, "sdks", "agb"), { recursive: true });
      // The first build downloads the modules of the example and compiles Pulumi's SDK. After it, Go needs no network.
      const first = join(shared, "first");
      await cp(join(repositoryDirectory, "examples", "go"), first, { recursive: true });
      await install(first);
      await succeed("go", ["build", "-o", join(shared, "program"), "."], first);
      return { path: [], environment: { GOPROXY: "off", GOFLAGS: "-mod=readonly" }, install };
    },
  },
  TypeScript: {
    async prepare(shared) {
      const modules = join(repositoryDirectory, "node_modules");
      const sdk = await generateSdk("nodejs", shared);
      // Where the SDK finds its own dependencies.
      await symlink(modules, join(shared, "node_modules"), "junction");
      // These two steps are those of the SDK's install script.
      await succeed(process.execPath, [join(modules, "typescript", "bin", "tsc"), "-p", sdk], shared);
      await cp(join(sdk, "package.json"), join(sdk, "bin", "package.json"));
      return {
        path: [],
        environment: {},
        async install(project) {
          const scope = join(project, "node_modules", "@pulumi");
          await mkdir(scope, { recursive: true });
          await symlink(join(modules, "@pulumi", "pulumi"), join(scope, "pulumi"), "junction");
          await symlink(sdk, join(scope, "agb"), "junction");
        },
      };
    },
  },
};

/** Returns why programs in a language cannot run on this computer, or `undefined` if they can. */
export function findMissingForLanguage(language: PluginLanguage): string | undefined {
  const { status, stdout } = spawnSync("go", ["version"], { encoding: "utf8", timeout: 30_000 });
  const problem = status === 0 ? findGoVersionProblem(stdout) : "`go` is not on PATH";
  if (problem !== undefined) {
    return `Go 1.25 or newer builds its language host or SDK, but ${problem}`;
  }
  return language === "Python" && findPython() === undefined ? "Python 3.10 or newer is not on PATH" : undefined;
}

/**
 * Returns `describe`, or `describe.skip` with a notice if the language cannot be used on this computer.
 *
 * @throws Error instead of skipping if the environment variable CI is set
 */
export function describeWithLanguage(language: PluginLanguage): jest.Describe {
  const missing = findMissingForLanguage(language);
  if (missing === undefined) {
    return describe;
  }
  if (process.env["CI"]) {
    throw new Error(`The tests of the plugin in ${language} cannot run: ${missing}.`);
  }
  process.stderr.write(`\n*** Tests of the plugin in ${language} SKIPPED: ${missing}. ***\n\n`);
  return describe.skip;
}

/** A language that is ready to run programs. */
export interface ReadyLanguage {
  /** The example's program. */
  readonly program: string;
  /** Creates a project from the example. The caller must close it. */
  createProject(environment: Readonly<Record<string, string>>): Promise<PulumiProject>;
  /** Replaces a project's program. */
  write(project: PulumiProject, program: string): Promise<void>;
  /** Removes what the language's projects share. */
  close(): Promise<void>;
}

/** Builds the plugin, the language host and the SDK, for an example's projects. */
export async function prepareLanguage(language: LanguageName): Promise<ReadyLanguage> {
  const { example, file } = examples[language];
  const program = await readFile(join(repositoryDirectory, "examples", example, file), "utf8");
  const { createProject, close } = await prepareProjects(language);
  return {
    program,
    createProject: (environment) => createProject({ example, environment }),
    write: (project, text) => project.write(file, text),
    close,
  };
}

/** Creates projects whose programs can use the plugin. */
export interface PluginProjects {
  /** Creates a project. The caller must close it. */
  createProject(options: Omit<PulumiProjectOptions, "install">): Promise<PulumiProject>;
  /** Removes what the projects share. */
  close(): Promise<void>;
}

/** Builds the plugin, the language host and the SDK, for any projects. */
export async function prepareProjects(language: PluginLanguage): Promise<PluginProjects> {
  const { host, prepare } = setups[language];
  const hostFolders = host === undefined ? [] : [(await findLanguageTool(host)).binDirectory];
  const directory = await realpath(await mkdtemp(join(tmpdir(), "agb-language-")));
  const close = () => rm(directory, { recursive: true, force: true });
  try {
    const pluginFolder = join(directory, "plugin");
    await mkdir(pluginFolder);
    await writePlugin(pluginFolder);
    const { path, environment, install } = await prepare(directory);
    return {
      async createProject(options) {
        const project = await createPulumiProject({
          ...options,
          install,
          environment: { ...environment, ...options.environment },
        });
        const { PATH = "" } = project.environment;
        project.environment["PATH"] = [pluginFolder, ...hostFolders, ...path, PATH].join(delimiter);
        return project;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Replaces a word of a program wherever it stands. @throws Error when the program does not contain it */
export function replaceWord(program: string, from: string, to: string): string {
  if (!program.includes(from)) {
    throw new Error(`the program does not contain ${from}`);
  }
  return program.replaceAll(from, to);
}

/** Generates an SDK from the committed schema. @returns its folder */
async function generateSdk(language: "nodejs" | "python" | "go", shared: string): Promise<string> {
  const { command } = await findLanguageTool("sdk-generator");
  const manifest = JSON.parse(await readFile(join(repositoryDirectory, "package.json"), "utf8"));
  const schema = { ...JSON.parse(await readFile(schemaPath, "utf8")), version: manifest.version };
  const path = join(shared, "schema.json");
  await writeFile(path, JSON.stringify(schema));
  const folder = join(shared, "sdk");
  await mkdir(folder);
  await succeed(command, [language, path, folder], shared);
  return folder;
}

async function installPythonSdk(python: string, sdk: string, target: string): Promise<void> {
  const offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"];
  await succeed(python, ["-m", "pip", "install", ...offline, "--target", target, sdk], sdk);
}

async function succeed(command: string, parameters: readonly string[], directory: string): Promise<void> {
  const bounds = { directory, environment: process.env, ...noCommand };
  const { exitCode, stdout, stderr } = await runBounded(command, parameters, bounds);
  if (exitCode !== 0) {
    throw new Error(`${command} ${parameters.join(" ")} failed with exit code ${exitCode}.\n${stdout}\n${stderr}`);
  }
}
