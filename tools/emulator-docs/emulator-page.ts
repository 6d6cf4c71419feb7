import { join } from "node:path";
import { endpoints } from "../../provider/emulator/admin/endpoints";
import { syncStepNames } from "../../provider/emulator/faults";
import { operationNames } from "../../provider/emulator/operations";
import { type OptionRow, readOptions } from "./options-table";
import { provenance, sources } from "./provenance";

const root = join(__dirname, "..", "..");

/** Path of the page. */
export const emulatorPagePath = join(root, "docs", "emulator.md");

// Not among the endpoints, because it does not return JSON.
const eventStream = {
  method: "GET",
  path: "events",
  purpose:
    "Server-sent events `clock`, `sessions`, `contexts` and `requests`: everything at first, then each part that changes.",
};

/** The content of `docs/emulator.md`, from the emulator's options and the table of behaviours. */
export function emulatorPage(): string {
  const fieldsOf = (kind: string, file: string, name: string) =>
    fieldTable(kind, readOptions(join(root, "provider", "emulator", file), name));
  return [
    "<!-- Written by `npm run docs:write`. Change tools/emulator-docs or provider/emulator (options.ts, faults.ts, admin/endpoints.ts) instead. -->",
    "# The emulator",
    "`pulumi-agb emulator` is a local AGB. It answers the API of AGB on your computer, so you can develop and test programs without an account. `pulumi-agb emulator --help` explains its flags. `startEmulator` of `pulumi-agb/emulator` takes the options below.",
    "## Security",
    "The emulator listens on 127.0.0.1. It listens on other addresses only if you also give it a key. It answers only requests whose Host header names it. Tools are off by default. **If you allow tools, they run commands as your own user on your computer**, even if that user is root.",
    "On Linux with namespaces (`unshare`, `nsenter` and `setpriv` of util-linux; root can always create namespaces, unless a container forbids it), a session's commands see the session's folder as the root of the file system. `/usr`, `/etc` and the other folders of your computer that they need are read-only. Commands see only the processes of their own session, so they see neither the emulator's arguments nor its environment. Every process ends with its session. Sessions share the network with your computer, and there is no limit to the processor, memory and disk that they use.",
    "Sessions cannot use the files that the program around the emulator has open. The command closes all files that it inherits, except standard input, output and error. If an inherited file holds a lock, closing it releases the lock. `startEmulator` leaves its program's files open, but closes them in the sessions. That needs `bash` in `/usr/bin` or `/bin`; without it, sessions can use the files that the program itself inherited.",
    "Elsewhere (other systems, and containers and distributions that forbid namespaces) sessions are not isolated. If you allow tools there, the emulator says so on standard error when it starts. Commands can then write wherever your user can, and see your user's processes with their arguments and environment. A process that clears its environment and leaves its folder can outlive its session. In either case, run nothing in a session that you would not run in your own shell.",
    "Pass API keys in the environment variable `AGB_EMULATOR_API_KEY`, or in a file with `--api-key-file`. Other users can see a key in an argument in the list of processes. The emulator removes it from its own entry when it starts, but not from the entry of `npx` or another program that starts it.",
    "## Options",
    fieldsOf("option", "options.ts", "EmulatorOptions"),
    "## Endpoints for tests",
    "These endpoints return JSON. They are below `http://127.0.0.1:PORT/_emulator/`, which is also the address of the console page. They need a key only if the emulator accepts only some keys.",
    table(
      ["endpoint", "purpose"],
      [...endpoints, eventStream].map(({ method, path, purpose }) => [`\`${method} /_emulator/${path}\``, purpose]),
    ),
    "## Faults",
    "A fault rule makes the emulator slow, wrong or silent. Add rules with the option `faults`, with `addFault` of a running emulator, or at the endpoint above. This rule makes the second create fail after it has taken effect:",
    '```sh\ncurl -X POST http://127.0.0.1:8787/_emulator/faults \\\n  -d \'{"operation": "createSession", "calls": 2, "when": "after", "answer": {"status": 503}}\'\n```',
    fieldsOf("field", "faults.ts", "FaultRule"),
    "If `answer` is a reply, it has these fields:",
    fieldsOf("field", "faults.ts", "FaultReply"),
    "This rule makes the next download of a context fail. The create that starts the download succeeds, and the status of the synchronization is `Failed` with the message:",
    '```json\n{"operation": "contextDownload", "calls": 1, "errorMessage": "no space left"}\n```',
    `The operations are ${operationNames.map((name) => `\`${name}\``).join(", ")}, and the two directions in which a context's files are copied: ${syncStepNames.map((name) => `\`${name}\``).join(" and ")}.`,
    "## Behaviour and sources",
    "AGB publishes no description of its API. The tables say what the emulator does and how that is known. Nothing was checked against the live service.",
    table(
      ["source", "meaning"],
      Object.entries(sources).map(([source, meaning]) => [source, meaning]),
    ),
    ...Object.entries(provenance).flatMap(([topic, behaviours]) => [
      `### ${topic}`,
      table(
        ["behaviour", "source"],
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
