import type { Command, Option } from "commander";
import { helpSections } from "../../../provider/cli/help-text";
import { createProgram } from "../../../provider/cli/program";
import { heading, join, list, paragraphs, sentence } from "../markdown";

/** A command that does something by itself, and its full name. */
export interface LeafCommand {
  /** Such as `pulumi-agb preview-environment up`. */
  readonly name: string;
  readonly command: Command;
  /** The description of the command that it belongs to, if it is not `pulumi-agb` itself. */
  readonly group: string | undefined;
}

/** All commands that do something by themselves. */
export function leafCommands(
  command: Command = createProgram(),
  name = command.name(),
  group: string | undefined = undefined,
): LeafCommand[] {
  return command.commands.length === 0
    ? [{ name, command, group }]
    : command.commands.flatMap((each) =>
        leafCommands(each, `${name} ${each.name()}`, command.parent === null ? undefined : command.description()),
      );
}

/** The section of the commands. */
export function commandsSection(): string {
  const commands = leafCommands();
  return join(
    heading(2, "Commands"),
    paragraphs(`${createProgram().description()} Run a command with \`npx\` in a project that has the package.`),
    ...commands.map(({ name, command, group }, index) =>
      join(
        heading(3, `\`${name}\``),
        group !== undefined && group !== commands[index - 1]?.group ? paragraphs(escaped(group)) : undefined,
        paragraphs(escaped(command.description())),
        list(command.options.filter((option) => !option.hidden).map(optionText)),
        ...belowOptions(command),
      ),
    ),
  );
}

function belowOptions(command: Command): string[] {
  const { notes = [], examples = [], environment = {}, exitCodes = {} } = helpSections(command) ?? {};
  return [
    ...notes.map((note) => paragraphs(escaped(note))),
    ...(examples.length === 0 ? [] : [["```sh", ...examples, "```"].join("\n")]),
    ...termList("Environment variables:", environment),
    ...termList("Exit codes:", exitCodes),
  ];
}

function termList(title: string, terms: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(terms).map(([term, meaning]) => `\`${term}\`: ${escaped(meaning)}`);
  return entries.length === 0 ? [] : [join(title, list(entries))];
}

function optionText(option: Option): string {
  const [, words = "", statedDefault] = /^(.*?)(?: \(default: (.*)\))?$/s.exec(option.description) ?? [];
  const facts = [
    sentence(escaped(words)),
    option.argChoices && `One of ${option.argChoices.map((choice) => `\`${choice}\``).join(", ")}.`,
    option.mandatory && "Required.",
    defaultOf(option, statedDefault),
    option.envVar && `Environment variable: \`${option.envVar}\`.`,
  ];
  return `\`${option.flags}\`: ${facts.filter(Boolean).join(" ")}`;
}

function defaultOf({ defaultValue, defaultValueDescription, required }: Option, stated: string | undefined) {
  if (stated !== undefined) {
    return sentence(`Default: ${escaped(stated)}`);
  }
  if (!required || defaultValue === undefined) {
    return undefined;
  }
  return `Default: \`${defaultValueDescription ?? defaultValue}\`.`;
}

/** Environment variables, options and names in capitals as code, so that no Markdown hides in them. */
function escaped(text: string): string {
  return text.replace(
    /(`[^`]*`)|(?<![\w`])(--[a-z][a-z-]+|[A-Z]+(?:_[A-Z]+)+|\/_emulator\/\S*?)(?![\w`])/g,
    (match, code) => (code === undefined ? `\`${match}\`` : match),
  );
}
