import { readFileSync } from "node:fs";
import { packageSchema } from "../../provider/hosts/plugin/schema";
import { isDeclarable } from "../../provider/kinds/check";
import { commandProperties } from "../../provider/kinds/command";
import { contextProperties } from "../../provider/kinds/context";
import { fileProperties } from "../../provider/kinds/file";
import { lookUps } from "../../provider/kinds/functions/function-calls";
import type { PropertiesOfKind } from "../../provider/kinds/kind";
import { sessionProperties } from "../../provider/kinds/session";
import { openServedPackage } from "../../provider/plugin/served-package";
import { schemaText } from "../../tools/plugin/schema";
import { schemaPath } from "../../tools/plugin/schema-path";

type Spec = Record<string, Record<string, unknown>>;

interface Schema {
  readonly config: { readonly variables: Spec };
  readonly provider: { readonly inputProperties: Spec };
  readonly types: Record<string, { readonly properties: Spec }>;
  readonly resources: Record<
    string,
    {
      readonly description: string;
      readonly properties: Spec;
      readonly inputProperties: Spec;
      readonly requiredInputs: readonly string[];
      readonly aliases: readonly { readonly type: string }[];
    }
  >;
  readonly functions: Record<string, { readonly inputs: { properties: Spec }; readonly outputs: { properties: Spec } }>;
}

const text = readFileSync(schemaPath, "utf8");
const schema: Schema = JSON.parse(text);

const kinds: readonly (readonly [string, PropertiesOfKind])[] = [
  ["Session", sessionProperties],
  ["Context", contextProperties],
  ["Command", commandProperties],
  ["File", fileProperties],
];

test("schema.json is up to date; if not, run `npm run docs:write`", () => {
  expect(text).toBe(schemaText());
});

test("the plugin serves what the schema has, and nothing else", async () => {
  const served = openServedPackage({ version: "1.2.3", schema: text }, { environment: {}, say: () => {} });
  expect(Object.keys(schema.resources).sort()).toEqual(Object.keys(served.kinds).sort());
  expect(Object.keys(schema.functions).sort()).toEqual(Object.keys(served.functions).sort());
  expect(Object.keys(schema.config.variables).sort()).toEqual(Object.keys(served.settings).sort());
  await served.close();
});

describe.each(kinds)("agb:index:%s", (name, properties) => {
  const spec = schema.resources[`agb:index:${name}`];
  const declarable = Object.entries(properties).filter(([, property]) => isDeclarable(property, true));

  test("takes what programs may declare, and shows what they may read", () => {
    expect(Object.keys(spec?.inputProperties ?? {}).sort()).toEqual(declarable.map(([key]) => key).sort());
    const readable = Object.entries(properties).filter(([, { isInternal }]) => !isInternal);
    expect(Object.keys(spec?.properties ?? {}).sort()).toEqual(readable.map(([key]) => key).sort());
  });

  test("requires what has no default", () => {
    const required = declarable.filter(([, { type }]) => !type.safeParse(undefined).success).map(([key]) => key);
    expect(spec?.requiredInputs).toEqual(required);
  });

  test("says what replaces it, and never makes the engine decide that", () => {
    const replacing = declarable.filter(([, { change }]) => change === "replaces").map(([key]) => key);
    const said = Object.entries(spec?.inputProperties ?? {}).flatMap(([key, { willReplaceOnChanges }]) =>
      willReplaceOnChanges === true ? [key] : [],
    );
    expect(said).toEqual(replacing);
  });

  test("is an alias of the dynamic resource", () => {
    expect(spec?.aliases).toEqual([{ type: `pulumi-nodejs:dynamic/agb:Agb${name}` }]);
  });

  test("describes each property with the words of its kind", () => {
    for (const [key, { description }] of declarable) {
      expect(spec?.inputProperties[key]?.["description"]).toContain(
        description.replace(/\.$/, "").replaceAll(/\bAgb/g, ""),
      );
    }
    expect(spec?.description).not.toBe("");
  });
});

test("no property has `replaceOnChanges`: it would replace a session whose image an import could not tell", () => {
  expect(text).not.toContain('"replaceOnChanges"');
});

test("secret are the key of the account, and the addresses that hold a token", () => {
  const secrets: string[] = [];
  const collect = (place: string, spec: Spec) => {
    secrets.push(...Object.entries(spec).flatMap(([key, { secret }]) => (secret === true ? [`${place}.${key}`] : [])));
  };
  collect("config", schema.config.variables);
  collect("provider", schema.provider.inputProperties);
  for (const [token, { inputs, outputs }] of Object.entries(schema.functions)) {
    collect(token, inputs.properties);
    collect(token, outputs.properties);
  }
  expect(secrets).toEqual([
    "config.apiKey",
    "provider.apiKey",
    "agb:index:getSessionUrl.url",
    "agb:index:getSessionLink.url",
  ]);
});

test("functions have the inputs and outputs that they declare", () => {
  for (const [name, { inputs, outputs }] of Object.entries(lookUps)) {
    const spec = schema.functions[`agb:index:${name}`];
    expect(Object.keys(spec?.inputs.properties ?? {})).toEqual(Object.keys(inputs));
    expect(Object.keys(spec?.outputs.properties ?? {})).toEqual(Object.keys(outputs));
  }
});

test("nothing in it speaks of the classes of the npm package", () => {
  expect(text.replaceAll(/pulumi-nodejs:dynamic\/agb:Agb\w+/g, "").match(/\bAgb[A-Z]\w*|\bgetAgb\w*/g)).toBeNull();
});

test("every reference to a type has one", () => {
  const references = [...text.matchAll(/"#\/types\/([^"]+)"/g)].map(([, token = ""]) => token);
  expect(new Set(references)).toEqual(new Set(Object.keys(schema.types)));
});

describe("a package whose declarations lack something is refused", () => {
  const declare = (type: object, object?: { name: string; description: string; fields: object }) =>
    packageSchema({
      about: { name: "notes" },
      settings: { shelf: { type, description: "Where.", isRequired: false, object: object as never } },
      resources: {},
      functions: {},
    });
  const place = { type: "object", properties: { room: { type: "string" } } };

  test.each<[string, () => unknown, RegExp]>([
    ["an object without a name", () => declare(place), /room has no name/],
    [
      "a field without a description",
      () => declare(place, { name: "Place", description: "A place.", fields: {} }),
      /Place\.room has no description/,
    ],
    ["a type that Pulumi does not have", () => declare({ type: "null" }), /type null/],
  ])("%s", (_, make, reason) => {
    expect(make).toThrow(reason);
  });
});
