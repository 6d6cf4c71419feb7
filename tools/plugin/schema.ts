// Makes `schema.json`, the schema of the plugin, from the declarations of kinds, functions and settings. Their comments in
// `provider/resources` say more than the declarations, so they are the descriptions.

import { z } from "zod";
import { settingNames } from "../../provider/config";
import {
  type DeclaredProperty,
  type DescribedObject,
  type JsonSchema,
  packageSchema,
} from "../../provider/hosts/plugin/schema";
import { isDeclarable } from "../../provider/kinds/check";
import type { FunctionProperties } from "../../provider/kinds/functions/look-up";
import type { Property } from "../../provider/kinds/kind";
import { packageName, type ServedKindName, settingName, tokenOfKind } from "../../provider/plugin/tokens";
import { typeTokens } from "../../provider/type-tokens";
import { Declarations, type Field } from "../docs/declarations";
import { innerName } from "../docs/fields";
import { documentedFunctions, interfaceName } from "../docs/reference/functions";
import { type DocumentedKind, documentedKinds } from "../docs/reference/resources";

const policySource = new Declarations("api/sync-policy.ts");

/** Makes the content of `schema.json`. */
export function schemaText(): string {
  return `${JSON.stringify(pluginSchema(), undefined, 2)}\n`;
}

/** Makes the schema. */
export function pluginSchema(): Record<string, unknown> {
  return packageSchema({
    about: {
      name: packageName,
      displayName: "AGB",
      description: "Labelled AGB cloud sessions, their contexts, commands and files",
      keywords: ["pulumi", "agb", "sandbox", "session", "category/infrastructure", "kind/native"],
      license: "Apache-2.0",
      language: {
        csharp: { respectSchemaVersion: true },
        go: { respectSchemaVersion: true },
        java: {},
        nodejs: { respectSchemaVersion: true },
        python: { respectSchemaVersion: true, pyproject: { enabled: true } },
      },
    },
    settings: Object.fromEntries(Object.values(settingNames).map((each) => [settingName(each.key), settingOf(each)])),
    resources: Object.fromEntries(documentedKinds.map((kind) => [tokensOf(kind).plugin, resourceOf(kind)])),
    functions: Object.fromEntries(documentedFunctions.map((each) => [each.token, functionOf(each)])),
  });
}

/** The tokens of a kind, whose dynamic one ends in the name of its class. */
function tokensOf({ name }: DocumentedKind): { readonly dynamic: string; readonly plugin: string } {
  const served = Object.keys(tokenOfKind) as ServedKindName[];
  const kind = served.find((candidate) => typeTokens[candidate].dynamic.endsWith(`:${name}`));
  if (kind === undefined) {
    throw new Error(`the plugin has no type for ${name}`);
  }
  return typeTokens[kind];
}

function resourceOf(kind: DocumentedKind) {
  const { name, path, properties } = kind;
  const source = new Declarations(path);
  const [inputFields, outputFields] = [source.fields(`${name}Args`), source.fields(name)];
  const all = Object.entries(properties).filter(([, { isInternal }]) => !isInternal);
  const declared = (entries: [string, Property][], fields: readonly Field[]) =>
    Object.fromEntries(
      entries.map(([key, property]) => [
        key,
        declaredProperty(
          property,
          fields.find((field) => field.name === key),
          [source, policySource],
        ),
      ]),
    );
  const inputs = declared(
    all.filter(([, property]) => isDeclarable(property, true)),
    inputFields,
  );
  return {
    description: kindDescription(source, name),
    inputs,
    // The state holds the inputs too, with the same descriptions.
    outputs: { ...declared(all, outputFields), ...inputs },
    formerTypes: [tokensOf(kind).dynamic],
  };
}

/** The comment of a class, without the paragraphs that are about programs in Node. */
function kindDescription(source: Declarations, name: string): string {
  const paragraphs = source.documentation(name).text.split("\n\n");
  return inPlugin(paragraphs.filter((text) => !/dynamic provider|customTimeouts|resourceUrl/.test(text)).join("\n\n"));
}

function declaredProperty(
  { type, description, change }: Pick<Property, "type" | "description"> & Partial<Pick<Property, "change">>,
  field: Field | undefined,
  sources: readonly Declarations[],
): DeclaredProperty {
  return {
    type: z.toJSONSchema(type, { io: "input", unrepresentable: "any" }) as JsonSchema,
    description: inPlugin(field === undefined ? description : fieldDescription(field)),
    object: field && objectOf(field, sources),
    isRequired: !type.safeParse(undefined).success,
    replaces: change === "replaces",
  };
}

function fieldDescription({ text, defaultValue }: Field): string {
  const words = text.replace(/(?<=[^.])$/, ".");
  return defaultValue === "" ? words : `${words} Default: ${defaultValue.replace(/\.$/, "")}.`;
}

function objectOf(field: Field, sources: readonly Declarations[]): DescribedObject | undefined {
  const name = innerName(field, sources);
  const source = sources.find((candidate) => name !== undefined && candidate.hasInterface(name));
  if (name === undefined || source === undefined) {
    return undefined;
  }
  const fields = source.fields(name).map((inner) => {
    return [inner.name, { description: inPlugin(fieldDescription(inner)), object: objectOf(inner, sources) }] as const;
  });
  return {
    name: inPlugin(name),
    description: inPlugin(source.documentation(name).text),
    fields: Object.fromEntries(fields),
  };
}

function functionOf({ name, inputs, outputs, path }: (typeof documentedFunctions)[number]) {
  const source = new Declarations(path);
  const plain = interfaceName(name);
  const declared = (properties: FunctionProperties, fields: readonly Field[]) =>
    Object.fromEntries(
      Object.entries(properties).map(([key, property]) => [
        key,
        {
          ...declaredProperty(
            property,
            fields.find((field) => field.name === key),
            [source],
          ),
          isSecret: property.isSecret ?? false,
        },
      ]),
    );
  return {
    description: inPlugin(source.documentation(name).text),
    inputs: declared(inputs, source.fields(`${plain}Args`)),
    outputs: declared(outputs, source.fields(`${plain}Result`)),
  };
}

const settingTypes: Readonly<Record<string, JsonSchema>> = {
  timeoutMs: { type: "integer" },
  defaultLabels: { type: "object", additionalProperties: { type: "string" } },
  ignoreLabels: { type: "array", items: { type: "string" } },
};

function settingOf(setting: (typeof settingNames)[keyof typeof settingNames]): DeclaredProperty {
  const { key, description, variable } = setting;
  return {
    type: settingTypes[settingName(key)] ?? { type: "string" },
    description: variable === undefined ? description : `${description} Environment variable: ${variable}.`,
    // It may come from the environment.
    isRequired: false,
    isSecret: "isSecret" in setting,
  };
}

/** Names of this package's classes and functions, as a plugin has them. */
function inPlugin(text: string): string {
  return text
    .replaceAll(/\bAgb(?=[A-Z])|(?<=\b(?:get|Get|Found|Listed))Agb(?=[A-Z])/g, "")
    .replaceAll(/(?<=`(?:Session|Context)\.)(?:session|context)Id(?=`)/g, "id");
}
