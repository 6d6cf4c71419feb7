import type { Command } from "commander";
import { withCode } from "../messages/message-codes";

const plainWidth = 80;
/** Long option names must not keep the texts beside them from being wrapped. */
const narrowestColumn = 30;

/** What a command's help says below its options. */
export interface HelpSections {
  /** Paragraphs. */
  readonly notes?: readonly string[];
  /** Commands as a user types them. They are not wrapped. */
  readonly examples?: readonly string[];
  /** Environment variables and what they are for. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Exit codes and what they mean. */
  readonly exitCodes: Readonly<Record<string, string>>;
}

const sections = new WeakMap<Command, HelpSections>();

/** The sections that `addHelpSections` added to a command. */
export function helpSections(command: Command): HelpSections | undefined {
  return sections.get(command);
}

/** Adds sections below a command's options, wrapped like the rest of its help. */
export function addHelpSections(command: Command, added: HelpSections): Command {
  const { notes = [], examples = [], environment = {}, exitCodes } = added;
  sections.set(command, added);
  return command.addHelpText("after", () => {
    const helper = command.createHelp();
    const width = command.configureOutput().getOutHelpWidth?.() ?? plainWidth;
    helper.helpWidth = width;
    const list = (title: string, items: Readonly<Record<string, string>>) => {
      const terms = Object.keys(items);
      const longest = Math.max(0, ...terms.map((term) => term.length));
      const lines = terms.map((term) => helper.formatItem(term, longest, items[term] ?? "", helper));
      return lines.length === 0 ? [] : [[title, ...lines].join("\n")];
    };
    return [
      ...notes.map((note) => helper.boxWrap(note, width)),
      ...(examples.length === 0 ? [] : [["Examples:", ...examples.map((line) => `  ${line}`)].join("\n")]),
      ...list("Environment variables:", environment),
      ...list("Exit codes:", exitCodes),
    ]
      .map((section) => `\n${section}`)
      .join("\n");
  });
}

/**
 * Sets how a command and its subcommands show their help. Each message about wrong arguments ends with the way to the help.
 */
export function showHelpWell(command: Command, path = command.name()): Command {
  command.configureHelp({ minWidthToWrap: narrowestColumn });
  command.configureOutput({
    outputError: (message, write) => {
      write(`${withCode(`${message.trim()}\nRun \`${path} --help\` for its options.`, "AGB612")}\n`);
    },
  });
  for (const subcommand of command.commands) {
    showHelpWell(subcommand, `${path} ${subcommand.name()}`);
  }
  return command;
}
