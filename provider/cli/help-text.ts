import type { Command } from "commander";

const plainWidth = 80;

/** Adds paragraphs below a command's options, wrapped like the rest of its help. */
export function addHelpNotes(command: Command, ...paragraphs: readonly string[]): Command {
  return command.addHelpText("after", () => {
    const width = command.configureOutput().getOutHelpWidth?.() ?? plainWidth;
    return paragraphs.map((paragraph) => `\n${command.createHelp().boxWrap(paragraph, width)}`).join("\n");
  });
}
