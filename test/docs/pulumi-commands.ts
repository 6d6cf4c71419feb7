// Checks `pulumi` commands of the guides with the help of the real CLI.

import { execFile } from "node:child_process";
import type { GuideCommand } from "./shell-blocks";

/** Returns what is wrong with `pulumi` commands. Each subcommand is asked once for its help. */
export async function pulumiProblems(commands: readonly GuideCommand[], pulumi: string): Promise<string[]> {
  const helps = new Map<string, Promise<string>>();
  const problems = await Promise.all(
    commands
      .filter(({ words }) => words[0] === "pulumi")
      .map(async ({ words, place }) => {
        const args = words.slice(1);
        // Help ignores further arguments, so what comes before the first flag will do.
        const flag = args.findIndex((word) => word.startsWith("-"));
        const leading = flag === -1 ? args : args.slice(0, flag);
        const key = leading.slice(0, 2).join(" ");
        const help = helps.get(key) ?? readHelp(pulumi, leading.slice(0, 2));
        helps.set(key, help);
        return findProblems(leading, args, await help).map((problem) => `${place}: ${words.join(" ")}: ${problem}`);
      }),
  );
  return problems.flat();
}

/** The help of a subcommand; that of the closest one above it if it does not exist; empty if there is none either. */
function readHelp(pulumi: string, subcommand: readonly string[]): Promise<string> {
  const environment = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" };
  return new Promise((resolve) => {
    execFile(
      pulumi,
      [...subcommand, "--help"],
      { env: { ...environment, PULUMI_SKIP_UPDATE_CHECK: "true" }, timeout: 60_000 },
      (_, stdout) => resolve(stdout),
    );
  });
}

function findProblems(leading: readonly string[], args: readonly string[], help: string): string[] {
  const [, usage = ""] = /^Usage:\n\s+pulumi ?([a-z -]*)/m.exec(help) ?? [];
  const [, aliases = ""] = /^Aliases:\n\s+(.*)/m.exec(help) ?? [];
  const path = usage.split(" ").filter((word) => word !== "");
  const names = path.map((word, index) => (index === path.length - 1 ? [word, ...aliases.split(", ")] : [word]));
  const exists = path.length > 0 && names.every((words, index) => words.includes(leading[index] ?? ""));
  const takesSubcommand = help.includes("Available Commands:") && leading[path.length] !== undefined;
  if (!exists || takesSubcommand) {
    return [`pulumi has no command "${leading.join(" ")}".`];
  }
  const flags = new Set([...help.matchAll(/^\s+(?:(-\w), )?(--[\w-]+)/gm)].flatMap(([, short, long]) => [short, long]));
  return args
    .filter((word) => word.startsWith("-"))
    .map((word) => word.split("=")[0])
    .filter((flag) => !flags.has(flag))
    .map((flag) => `"pulumi ${path.join(" ")}" has no flag ${flag}.`);
}
