// Checks the commands in `sh` blocks of the guides against the programs that they start.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, CommanderError } from "commander";
import { createProgram } from "../../provider/cli/program";
import { configNamespace, settingNames } from "../../provider/config";
import { tokenOfKind } from "../../provider/plugin/tokens";
import { repositoryRoot } from "../support/node-process";
import { annotationOf, type CodeBlock, placeOf } from "./code-blocks";
import { splitCommands } from "./shell-commands";

/** A command in a guide, and where it is. */
export interface GuideCommand {
  readonly words: readonly string[];
  /** Page and line. */
  readonly place: string;
}

/** Programs of the system and of others. Their arguments are not checked. */
const otherPrograms = new Set([
  ".",
  "cat",
  "cd",
  "cp",
  "curl",
  "echo",
  "export",
  "gh",
  "git",
  "grep",
  "jq",
  "ls",
  "mkdir",
  "pip",
  "python3",
  "rm",
  "sha256sum",
  "unset",
]);

const npmCommands = new Set(["ci", "exec", "init", "install", "pack", "run", "start", "test", "uninstall", "version"]);

/** Scripts of this repository and of projects from its template. */
const scripts = { ...scriptsIn("."), ...scriptsIn("templates/agb-typescript") };

function scriptsIn(folder: string): Record<string, string> {
  return JSON.parse(readFileSync(join(repositoryRoot, folder, "package.json"), "utf8")).scripts;
}

/** Returns the commands of the `sh` blocks, without those blocks that a test runs. */
export function findGuideCommands(blocks: readonly CodeBlock[]): GuideCommand[] {
  return blocks
    .filter((block) => block.language === "sh" && annotationOf(block, "test") === undefined)
    .flatMap((block) =>
      splitCommands(block.code).map(({ words, line }) => ({
        words,
        place: placeOf({ page: block.page, line: block.line + line }),
      })),
    );
}

/** Returns what is wrong with a command. `pulumi` itself is checked by the engine tests, with the CLI's help. */
export async function commandProblems({ words, place }: GuideCommand): Promise<string[]> {
  const [program = "", ...args] = words;
  const problems = [...settingProblems(words), ...(await programProblems(program, args))];
  return problems.map((problem) => `${place}: ${words.join(" ")}: ${problem}`);
}

async function programProblems(program: string, args: readonly string[]): Promise<string[]> {
  switch (program) {
    case "npm":
      return npmProblems(args);
    case "npx":
      return await programProblems(args[0] ?? "", args.slice(1));
    case "pulumi-agb":
    case "node_modules/.bin/pulumi-agb":
      return await ownCommandProblems(args);
    case "node":
    case "jest":
    case "tsx":
      return missingFiles(args);
    case "changeset":
    case "pulumi":
    case "biome":
    case "knip":
    case "tsc":
      return [];
    default:
      return otherPrograms.has(program)
        ? []
        : [`Nothing checks the program "${program}". Correct it, or add it to test/docs/shell-blocks.ts.`];
  }
}

function npmProblems(args: readonly string[]): string[] {
  const [command = "", ...rest] = args.filter((word, index) => !word.startsWith("-") && args[index - 1] !== "--prefix");
  if (!npmCommands.has(command)) {
    return [`npm has no command "${command}". Correct it, or add it to test/docs/shell-blocks.ts.`];
  }
  const script = command === "run" ? rest[0] : ["start", "test"].includes(command) ? command : undefined;
  return script === undefined || script in scripts ? [] : [`package.json has no script "${script}".`];
}

/** Lets the real command line parse the arguments, with actions that do nothing. */
async function ownCommandProblems(args: readonly string[]): Promise<string[]> {
  const program = createProgram();
  makeHarmless(program);
  try {
    await program.parseAsync([...args], { from: "user" });
    return [];
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    return ["commander.helpDisplayed", "commander.version"].includes(error.code) ? [] : [error.message];
  }
}

function makeHarmless(command: Command): void {
  command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  if (command.commands.length === 0) {
    command.action(() => {});
  }
  for (const subcommand of command.commands) {
    makeHarmless(subcommand);
  }
}

function missingFiles(args: readonly string[]): string[] {
  const paths = args.filter((word) => /^(test|tools|provider|examples)\//.test(word));
  return paths.filter((path) => !existsSync(join(repositoryRoot, path))).map((path) => `There is no ${path}.`);
}

/** Settings such as `agb:apiKey`, also with a path below them, must exist. The types of the plugin are no settings. */
function settingProblems(words: readonly string[]): string[] {
  const known: string[] = Object.values(settingNames).map(({ key }) => key);
  const types: string[] = Object.values(tokenOfKind);
  return words
    .filter((word) => !types.includes(word))
    .flatMap((word) => new RegExp(`^${configNamespace}:\\w+`).exec(word) ?? [])
    .filter((key) => !known.includes(key))
    .map((key) => `There is no setting ${key}. The settings are ${known.join(", ")}.`);
}
