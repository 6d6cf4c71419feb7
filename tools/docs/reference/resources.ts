import { isDeclarable } from "../../../provider/kinds/check";
import { commandProperties } from "../../../provider/kinds/command";
import { contextProperties } from "../../../provider/kinds/context";
import { fileProperties } from "../../../provider/kinds/file";
import type { PropertiesOfKind, Property } from "../../../provider/kinds/kind";
import { sessionProperties } from "../../../provider/kinds/session";
import { Declarations, type Field } from "../declarations";
import { innerEntries, innerName } from "../fields";
import { literal } from "../literal";
import { codeBlock, defaultWords, heading, join, list, paragraphs } from "../markdown";

/** A resource kind and the class that programs construct. */
export interface DocumentedKind {
  readonly name: string;
  readonly noun: string;
  readonly properties: PropertiesOfKind;
  /** File of the class, below `provider/`. */
  readonly path: string;
  /** The class or interface of what `get` returns; absent when the class has no `get`. */
  readonly found?: string;
}

/** The kinds that programs declare. */
export const documentedKinds: readonly DocumentedKind[] = [
  {
    name: "AgbSession",
    noun: "session",
    properties: sessionProperties,
    path: "resources/agb-session.ts",
    found: "FoundAgbSession",
  },
  {
    name: "AgbContext",
    noun: "context",
    properties: contextProperties,
    path: "resources/agb-context.ts",
    found: "AgbContext",
  },
  {
    name: "AgbCommand",
    noun: "command",
    properties: commandProperties,
    path: "resources/agb-command.ts",
  },
  {
    name: "AgbFile",
    noun: "file",
    properties: fileProperties,
    path: "resources/agb-file.ts",
  },
];

const policySource = new Declarations("api/sync-policy.ts");

/** What a change of a property means, in the words of the reference and of the comment above the argument. */
export function changeSentence(noun: string, { change }: Pick<Property, "change">): string {
  switch (change) {
    case "replaces":
      return `A change replaces the ${noun}.`;
    case "updates":
      return `A change updates the ${noun} in place.`;
    case "stored":
      return "A change is stored in the state only.";
    case "output":
      return "";
  }
}

/** What the section of a class begins with, up to the heading of its arguments. */
export function classOpening(name: string, source: Declarations): string[] {
  const { text, example } = source.documentation(name);
  return [heading(2, `\`${name}\``), paragraphs(text), codeBlock("ts", example), heading(3, `${name}: arguments`)];
}

/** The section of a kind. */
export function kindSection(kind: DocumentedKind): string {
  const { name } = kind;
  const source = new Declarations(kind.path);
  return join(
    ...classOpening(name, source),
    ...argumentSections(kind, source),
    heading(3, `${name}: outputs`),
    ...outputSections(kind, source),
    ...memberSections(kind, source),
    lookUpSection(kind, source),
  );
}

function argumentSections(kind: DocumentedKind, source: Declarations): string[] {
  const fields = source.fields(`${kind.name}Args`);
  return Object.entries(kind.properties)
    .filter(([, property]) => isDeclarable(property))
    .map(([name, property]) => {
      const field = fields.find((candidate) => candidate.name === name);
      if (field === undefined) {
        throw new Error(`${kind.path}: ${kind.name}Args lacks ${name}`);
      }
      return argumentSection(kind, property, field, [source, policySource]);
    });
}

function argumentSection(
  { name: kindName, noun }: DocumentedKind,
  property: Property,
  field: Field,
  sources: readonly Declarations[],
): string {
  const { name, text, type, defaultValue } = field;
  const change = changeSentence(noun, property);
  const inner = innerEntries(field, sources);
  const isRequired = !property.type.safeParse(undefined).success;
  return join(
    heading(4, `${kindName}: \`${name}\``),
    paragraphs(text.replace(change, "")),
    list([
      `Type: ${type}`,
      isRequired ? "Required" : `Default: ${defaultWords(defaultValue)}`,
      change,
      ...(property.example === undefined ? [] : [`Example: \`${name}: ${literal(property.example)}\``]),
    ]),
    ...(inner.length === 0
      ? []
      : [
          `Fields of ${type.startsWith("list") ? "each" : "the"} object, \`${innerName(field, sources)}\`:`,
          list(inner),
        ]),
  );
}

function outputSections({ name: kindName }: DocumentedKind, source: Declarations): string[] {
  return source
    .fields(kindName)
    .map(({ name, text, type, code }) =>
      join(
        heading(4, `${kindName} output: \`${name}\``),
        paragraphs(text),
        list([`Type: ${type}${/\bundefined\b/.test(code) ? ", or `undefined`" : ""}`]),
      ),
    );
}

/** What AGB is asked for when the program uses it. */
function memberSections({ name: kindName }: DocumentedKind, source: Declarations): string[] {
  return source
    .members(kindName)
    .map(({ name, text, code, parameters }) =>
      join(
        heading(3, `${kindName}: \`${name}\``),
        paragraphs(text),
        list([`Type: \`${code}\``, ...parameters.map((parameter) => `\`${parameter.name}\`: ${parameter.text}`)]),
      ),
    );
}

function lookUpSection({ name: kindName, found }: DocumentedKind, source: Declarations): string {
  if (found === undefined) {
    return "";
  }
  const { text, parameters } = source.staticMethod(kindName, "get");
  return join(
    heading(3, `${kindName}: \`get\``),
    paragraphs(text),
    codeBlock(
      "ts",
      `import { ${kindName} } from "pulumi-agb";\n\nconst found = ${kindName}.get("found", "${exampleIds[kindName]}");`,
    ),
    list(parameters.map((parameter) => `\`${parameter.name}\`: ${parameter.text}`)),
    found === kindName
      ? paragraphs(`Returns an \`${found}\`.`)
      : join(
          paragraphs(`Returns a \`${found}\`. ${source.documentation(found).text}`),
          list(source.fields(found).map((field) => `\`${field.name}\`: ${field.text}`)),
        ),
  );
}

const exampleIds: Readonly<Record<string, string>> = {
  AgbSession: "session-flzgquzm2h9jq6hd1nzethyo3",
  AgbContext: "SdkCtx-4hq2mzp9",
};
