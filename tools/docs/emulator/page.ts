import { readFileSync } from "node:fs";
import { endpoints } from "../../../provider/emulator/admin/endpoints";
import { syncStepNames } from "../../../provider/emulator/faults";
import { operationNames } from "../../../provider/emulator/operations";
import { Declarations } from "../declarations";
import { fieldEntries } from "../fields";
import { anchor, defaultWords, heading, join, list, wrap } from "../markdown";
import { leafCommands } from "../reference/commands";
import { provenance, sources } from "./provenance";

/** The parts of `docs/emulator.md` that are generated, by the name in the comments around them. */
const parts: Readonly<Record<string, () => string>> = {
  options: optionList,
  endpoints: endpointList,
  faults: () => list(fieldEntries("FaultRule", [new Declarations("emulator/faults.ts")])),
  operations: () => wrap([...operationNames, ...syncStepNames].map((name) => `\`${name}\``).join(", ")),
  behaviours: () =>
    join(
      ...Object.entries(provenance).map(([topic, behaviours]) =>
        join(heading(3, topic), list(behaviours.map(({ behaviour, source }) => `${behaviour}. *${source}*`))),
      ),
    ),
  sources: () => list(Object.entries(sources).map(([source, meaning]) => `*${source}*: ${meaning}`)),
};

// Not among the endpoints, because it does not return JSON.
const eventStream = {
  method: "GET",
  path: "events",
  purpose:
    "Server-sent events `clock`, `sessions`, `contexts` and `requests`: everything at first, then each part that changes.",
};

/**
 * The content of `docs/emulator.md`: the prose of the file, with every generated part written again.
 *
 * @throws Error when the file lacks a part, or has one that is not known
 */
export function emulatorPage(path: string): string {
  const missing = new Set(Object.keys(parts));
  const page = readFileSync(path, "utf8").replace(
    /(<!-- generated: (\w+) -->)[\s\S]*?(<!-- end of the generated part -->)/g,
    (_match, begin: string, name: string, end: string) => {
      const part = parts[name];
      if (part === undefined || !missing.delete(name)) {
        throw new Error(`${path} has a generated part "${name}" that is not known, or twice`);
      }
      return `${begin}\n\n${part()}\n\n${end}`;
    },
  );
  if (missing.size > 0) {
    throw new Error(`${path} lacks the generated parts ${[...missing].join(", ")}`);
  }
  return page;
}

/** Options of `startEmulator` whose flags have other names. */
const otherFlags: Readonly<Record<string, string>> = { statePath: "--state", apiKeys: "--api-key", onRequest: "--log" };

function optionList(): string {
  const flags = leafCommands().find(({ name }) => name.endsWith(" emulator"))?.command.options ?? [];
  const flagOf = (option: string) => flags.find((flag) => flag.attributeName() === option)?.long ?? otherFlags[option];
  return list(
    new Declarations("emulator/options.ts").fields("EmulatorOptions").map(({ name, defaultValue }) => {
      const option = `[\`${name}\`](reference.md#${anchor(`startEmulator: ${name}`)})`;
      const flag = flagOf(name);
      return `${option}${flag === undefined ? "" : `, \`${flag}\``}: ${defaultWords(defaultValue)}`;
    }),
  );
}

function endpointList(): string {
  return list(
    [...endpoints, eventStream].map(({ method, path, purpose }) => `\`${method} /_emulator/${path}\`: ${purpose}`),
  );
}
