import { InvalidArgumentError, Option } from "commander";

/** Parses the name of a stack as the Pulumi CLI takes it. */
export function parseStack(text: string): string {
  if (!/^[A-Za-z0-9_.][\w.-]*(\/[\w.-]+){0,2}$/.test(text)) {
    throw new InvalidArgumentError("Give it as NAME or ORGANIZATION/NAME.");
  }
  return text;
}

/** The option `--stack` of commands that can use the settings of a stack. */
export function stackOption(description: string): Option {
  return new Option("--stack <name>", description).argParser(parseStack);
}
