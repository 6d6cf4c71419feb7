import { lookUps } from "../../../provider/kinds/functions/function-calls";
import type { FunctionProperties, FunctionProperty } from "../../../provider/kinds/functions/look-up";
import { Declarations, type Field } from "../declarations";
import { innerEntries } from "../fields";
import { literal } from "../literal";
import { codeBlock, defaultWords, heading, join, list, paragraphs, sentence } from "../markdown";

/** A function and the file in which programs find it. */
export interface DocumentedFunction {
  readonly name: string;
  /** The name that Pulumi's mocks see. */
  readonly token: string;
  readonly inputs: FunctionProperties;
  readonly outputs: FunctionProperties;
  /** File of the function, below `provider/`. */
  readonly path: string;
}

/** The functions that programs call. */
export const documentedFunctions: readonly DocumentedFunction[] = Object.entries(lookUps).map(
  ([token, { name, inputs, outputs }]) => ({
    name,
    token: `agb:index:${token}`,
    inputs,
    outputs,
    path: `resources/${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.ts`,
  }),
);

/** The section of the look-ups. */
export function functionsSection(): string {
  return join(
    heading(2, "Functions"),
    paragraphs(
      "A function looks up what exists at AGB. It owns nothing and stores nothing in the state. Each function has two forms. The " +
        "plain form takes values and returns a promise. The form whose name ends in `Output` takes outputs too and returns an " +
        "output. In a preview it does not ask AGB while an argument is unknown, and its result is unknown.",
    ),
    paragraphs(
      "A function uses the same settings as the resources. The option `provider` takes an [`AgbProvider`](#agbprovider). With the " +
        "option `parent`, the function uses the provider of that resource. The `Output` form also takes `dependsOn`. Functions run " +
        "in the program's process and ask AGB in each preview and update. An inline program of the Automation API uses the " +
        "environment of its own process, not the variables that are set for its workspace. A failed function fails the run, unless " +
        "the program catches the promise's error.",
    ),
    paragraphs(
      "The result of the `Output` form is secret if an argument is secret, or if `agb:defaultLabels` is. Under Pulumi's mocks, " +
        "functions ask the mocks instead of AGB. A test answers them by token in `call`:",
    ),
    codeBlock(
      "ts",
      [
        'import * as pulumi from "@pulumi/pulumi";',
        "",
        "pulumi.runtime.setMocks({",
        "  newResource: ({ name, inputs }) => ({ id: name, state: inputs }),",
        '  call: ({ token }) => (token === "agb:index:getSessions" ? { sessions: [], sessionIds: [] } : {}),',
        "});",
      ].join("\n"),
    ),
    ...documentedFunctions.map(functionSection),
  );
}

function functionSection({ name, token, inputs, outputs, path }: DocumentedFunction): string {
  const source = new Declarations(path);
  const { text, example } = source.documentation(name);
  const plain = interfaceName(name);
  return join(
    heading(3, `\`${name}\``),
    paragraphs(`${text} With outputs: \`${name}Output\`. Token: \`${token}\`.`),
    codeBlock("ts", example),
    heading(4, `${name}: arguments`),
    list(source.fields(`${plain}Args`).map((field) => argumentText(field, declared(inputs, field)))),
    heading(4, `${name}: result`),
    list(
      source.fields(`${plain}Result`).map((field) => ({
        text: resultText(field, declared(outputs, field)),
        entries: innerEntries(field, [source]),
      })),
    ),
  );
}

/** `GetAgbSession` for `getAgbSession`. */
export function interfaceName(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function declared(properties: FunctionProperties, { name }: Field): FunctionProperty {
  const property = properties[name];
  if (property === undefined) {
    throw new Error(`no function declares ${name}`);
  }
  return property;
}

function argumentText({ name, text, type, isRequired, defaultValue }: Field, { example }: FunctionProperty): string {
  const need = isRequired ? "required" : `default: ${defaultWords(defaultValue)}`;
  const shown = example === undefined ? "" : ` Example: \`${name}: ${literal(example)}\`.`;
  return `\`${name}\` (${type}; ${need}): ${sentence(text)}${shown}`;
}

function resultText({ name, text, type, isRequired }: Field, { isSecret }: FunctionProperty): string {
  return `\`${name}\` (${isSecret ? "secret output of a " : ""}${type}${isRequired ? "" : ", or `undefined`"}): ${text}`;
}
