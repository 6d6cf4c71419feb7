import { join } from "node:path";
import { provenance, sources } from "../../provider/emulator/provenance";
import { readOptions } from "./options-table";

const root = join(__dirname, "..", "..");

/** Where the page lies. */
export const emulatorPagePath = join(root, "docs", "emulator.md");

/** The text of `docs/emulator.md`, from the emulator's options and its table of behaviours. */
export function emulatorPage(): string {
  const options = readOptions(join(root, "provider", "emulator", "options.ts"), "EmulatorOptions");
  return [
    "<!-- Made by `npm run docs`. Change provider/emulator/provenance.ts or options.ts instead. -->",
    "# The emulator",
    "`pulumi-agb emulator` is a local AGB: it answers the API of AGB on this computer, so that programs can be developed and tested without an account. `pulumi-agb emulator --help` explains its flags; `startEmulator` of `pulumi-agb/emulator` takes the options below.",
    "## What is safe about it, and what is not",
    "It listens on 127.0.0.1, elsewhere only together with a key, and answers only requests that name it as their host. Tools are off unless they are allowed. **Allowed tools run commands as your own user on this computer.** A session's folder keeps its files apart and its commands from a wrong turn; it does not keep out code that means harm. So let nothing run in it that you would not run in a shell of your own.",
    "## Options",
    table(
      ["option", "type", "what it does", "default"],
      options.map((option) => [`\`${option.name}\``, `\`${option.type}\``, option.description, option.defaultValue]),
    ),
    "## What it does, and where that is known from",
    "AGB publishes no description of its API. Nothing here was checked against the live service.",
    table(
      ["source", "meaning"],
      Object.entries(sources).map(([source, meaning]) => [source, meaning]),
    ),
    ...Object.entries(provenance).flatMap(([topic, behaviours]) => [
      `### ${topic}`,
      table(
        ["behaviour", "known from"],
        behaviours.map(({ behaviour, source }) => [behaviour, source]),
      ),
    ]),
  ]
    .join("\n\n")
    .concat("\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
