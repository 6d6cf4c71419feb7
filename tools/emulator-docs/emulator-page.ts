import { join } from "node:path";
import { endpoints } from "../../provider/emulator/admin/endpoints";
import { syncStepNames } from "../../provider/emulator/faults";
import { operationNames } from "../../provider/emulator/operations";
import { provenance, sources } from "../../provider/emulator/provenance";
import { type OptionRow, readOptions } from "./options-table";

const root = join(__dirname, "..", "..");

/** Where the page lies. */
export const emulatorPagePath = join(root, "docs", "emulator.md");

// It answers no JSON, so it is not among the endpoints.
const eventStream = {
  method: "GET",
  path: "events",
  purpose: "Server-sent events `clock`, `sessions`, `contexts` and `requests`: whole at first, then what changed.",
};

/** The text of `docs/emulator.md`, from the emulator's options and its table of behaviours. */
export function emulatorPage(): string {
  const fieldsOf = (kind: string, file: string, name: string) =>
    fieldTable(kind, readOptions(join(root, "provider", "emulator", file), name));
  return [
    "<!-- Made by `npm run docs`. Change provider/emulator/provenance.ts, options.ts, faults.ts or admin/endpoints.ts instead. -->",
    "# The emulator",
    "`pulumi-agb emulator` is a local AGB: it answers the API of AGB on this computer, so that programs can be developed and tested without an account. `pulumi-agb emulator --help` explains its flags; `startEmulator` of `pulumi-agb/emulator` takes the options below.",
    "## What is safe about it, and what is not",
    "It listens on 127.0.0.1, elsewhere only together with a key, and answers only requests that name it as their host. Tools are off unless they are allowed. **Allowed tools run commands as your own user on this computer**, also when that user is root.",
    "On Linux with namespaces (util-linux's `unshare`, `nsenter` and `setpriv`; root may always make them unless a container forbids it), a session's commands see its folder as the root of the file system. `/usr`, `/etc` and the other folders of this computer that they need are read-only. They see no process but their session's own, so neither the emulator's arguments nor its environment, and every process ends with its session. They share the network with this computer and may use its processor, memory and disk without a limit.",
    "What the program that starts the emulator has open does not reach them either. The command closes it when it starts, except standard input, output and error, and so gives up a lock that such an open file holds. `startEmulator` leaves the files of its program open, but not in the sessions; without `bash` in `/usr/bin` or `/bin` sessions can use those that the program itself was given when it started.",
    "Elsewhere (other systems, containers and distributions that forbid namespaces) none of this holds, and the emulator says so on standard error when it starts with tools allowed: commands can write wherever your user can and see its processes with their arguments and environment, and a process that clears its environment and leaves its folder can outlive its session. In either case let nothing run in a session that you would not run in a shell of your own.",
    "Give API keys in the environment variable `AGB_EMULATOR_API_KEY`, or in a file with `--api-key-file`. A key in an argument can be seen in the list of processes: the emulator takes it out of its own entry when it starts, but not out of that of `npx` or another program that started it.",
    "## Options",
    fieldsOf("option", "options.ts", "EmulatorOptions"),
    "## Endpoints for tests",
    "They answer JSON at `http://127.0.0.1:PORT/_emulator/`, where the console page is, too. They need no key, unless the emulator accepts only some keys.",
    table(
      ["endpoint", "what it is for"],
      [...endpoints, eventStream].map(({ method, path, purpose }) => [`\`${method} /_emulator/${path}\``, purpose]),
    ),
    "## Faults on purpose",
    "A fault rule makes the emulator slow, wrong or silent. Rules are given in the option `faults`, with `addFault` of a running emulator, or at the endpoint above. This one makes the second create fail after it has taken effect:",
    '```sh\ncurl -X POST http://127.0.0.1:8787/_emulator/faults \\\n  -d \'{"operation": "createSession", "calls": 2, "when": "after", "answer": {"status": 503}}\'\n```',
    fieldsOf("field", "faults.ts", "FaultRule"),
    "The reply that `answer` names has these fields:",
    fieldsOf("field", "faults.ts", "FaultReply"),
    "This one makes the first download into the next session fail, as AGB reports it in the status of the synchronization:",
    '```json\n{"operation": "contextDownload", "calls": 1, "errorMessage": "no space left"}\n```',
    `The operations are ${operationNames.map((name) => `\`${name}\``).join(", ")}, and the two directions in which a context's files are copied: ${syncStepNames.map((name) => `\`${name}\``).join(" and ")}.`,
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

function fieldTable(kind: string, rows: readonly OptionRow[]): string {
  return table(
    [kind, "type", "what it does", "default"],
    rows.map((row) => [`\`${row.name}\``, `\`${row.type}\``, row.description, row.defaultValue]),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
