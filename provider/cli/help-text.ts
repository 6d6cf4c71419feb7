import type { Command } from "commander";

const plainWidth = 80;

const notes = new WeakMap<Command, readonly string[]>();

/** The paragraphs that `addHelpNotes` added to a command. */
export function helpNotes(command: Command): readonly string[] {
  return notes.get(command) ?? [];
}

/** Adds paragraphs below a command's options, wrapped like the rest of its help. */
export function addHelpNotes(command: Command, ...paragraphs: readonly string[]): Command {
  notes.set(command, paragraphs);
  return command.addHelpText("after", () => {
    const width = command.configureOutput().getOutHelpWidth?.() ?? plainWidth;
    return paragraphs.map((paragraph) => `\n${command.createHelp().boxWrap(paragraph, width)}`).join("\n");
  });
}
