import type { Command } from "commander";
import { createProgram } from "../../provider/cli/program";
import { expectGolden } from "../support/golden-messages";

function helpOf(command: Command): string {
  let help = "";
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
    getOutHelpWidth: () => 80,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return help;
}

function helpOfAll(command: Command, path: string): [string, string][] {
  const own: [string, string] = [`${path} --help`, helpOf(command)];
  return [own, ...command.commands.flatMap((each) => helpOfAll(each, `${path} ${each.name()}`))];
}

test("the help of every subcommand is as recorded, and fits the screen", () => {
  const helps = Object.fromEntries(helpOfAll(createProgram(), "pulumi-agb"));

  expect(Object.keys(helps)).toHaveLength(19);
  expect(
    Object.values(helps)
      .join("\n")
      .split("\n")
      .filter((line) => line.length > 80),
  ).toEqual([]);
  expectGolden("help", Object.entries(helps));
});
