import { policyDefaults } from "../../provider/api/sync-policy";
import { settingNames } from "../../provider/config";
import * as emulator from "../../provider/emulator";
import * as provider from "../../provider/index";
import { isDeclarable } from "../../provider/kinds/check";
import { labelLimits } from "../../provider/lifecycle/labels";
import { ownershipKeys } from "../../provider/lifecycle/ownership";
import { Declarations } from "../../tools/docs/declarations";
import { leafCommands } from "../../tools/docs/reference/commands";
import { referencePage } from "../../tools/docs/reference/page";
import { changeSentence, documentedKinds } from "../../tools/docs/reference/resources";

const page = referencePage();

test("each value that a program can import is on the page", () => {
  for (const name of [...Object.keys(provider), ...Object.keys(emulator)]) {
    expect(page).toContain(`\`${name}\``);
  }
});

test("each setting is on the page, with its key, variable and default", () => {
  for (const [name, setting] of Object.entries(settingNames)) {
    const section = page.split(`### Setting: \`${name}\``)[1]?.split("\n### ")[0] ?? "";
    expect(section).toContain(`\`${setting.key}\``);
    expect(section).toContain(setting.variable ?? "Environment variable: none");
    expect(section).toContain("defaultValue" in setting ? `\`${setting.defaultValue}\`` : "");
  }
});

test("each argument of AgbProvider begins with the description of its setting", () => {
  const fields = new Declarations("resources/agb-provider.ts").fields("AgbProviderArgs");
  const settings: Readonly<Record<string, { readonly description: string }>> = settingNames;
  for (const { name, text } of fields) {
    expect(text.slice(0, settings[name]?.description.length)).toBe(settings[name]?.description);
  }
  expect(fields).toHaveLength(5);
});

test("each command and each of its options is on the page", () => {
  const commands = leafCommands();
  expect(commands.length).toBeGreaterThan(6);
  for (const { name, command } of commands) {
    const section = page.split(`### \`${name}\`\n`)[1]?.split("\n### ")[0] ?? "";
    for (const { flags } of command.options) {
      expect(section).toContain(`- \`${flags}\`: `);
    }
    expect(section).toContain("Exit codes:");
  }
});

test("each label that the provider sets is on the page with a description", () => {
  for (const key of Object.values(ownershipKeys)) {
    expect(page).toMatch(new RegExp(`^- \`${key}\`: \\S`, "m"));
  }
});

test("the default that a field of the policy names is the one that AGB is sent", () => {
  const source = new Declarations("api/sync-policy.ts");
  const parts: Readonly<Record<string, object>> = policyDefaults;
  const described = source.fields("SyncPolicy").flatMap(({ name: part, typeNames: [typeName = ""] }) =>
    source
      .fields(typeName)
      .filter(({ isRequired }) => !isRequired)
      .map(({ name, defaultValue }) => [part, name, JSON.parse(defaultValue)]),
  );
  const applied = Object.entries(parts).flatMap(([part, fields]) =>
    Object.entries(fields).map(([name, value]) => [part, name, value]),
  );
  expect(described).toEqual(applied);
});

test("the labels' limits in the comment of the argument are those that hold", () => {
  const { count, keyCharacters, valueCharacters } = labelLimits;
  const labels = new Declarations("resources/agb-session.ts")
    .fields("AgbSessionArgs")
    .find(({ name }) => name === "labels");
  expect(labels?.text).toContain(`at most ${count} labels`);
  expect(labels?.text).toContain(`at most ${keyCharacters} characters, values at most ${valueCharacters}.`);
});

describe.each(documentedKinds.map((kind) => [kind.name, kind] as const))("%s", (name, kind) => {
  const fields = new Declarations(kind.path).fields(`${name}Args`);
  const declared = Object.entries(kind.properties).filter(([, property]) => isDeclarable(property));

  test.each(declared)("tells of the argument %s what a change does, and its default", (property, declaration) => {
    const field = fields.find((candidate) => candidate.name === property);
    expect(field?.text.endsWith(changeSentence(kind.noun, declaration))).toBe(true);
    expect(field?.isRequired).toBe(!declaration.type.safeParse(undefined).success);
    expect(field?.defaultValue === "").toBe(field?.isRequired);
  });

  test.each(declared.filter(([, { example }]) => example !== undefined))(
    "has an example of %s that its type accepts",
    (_property, { type, example }) => {
      expect(type.safeParse(example).success).toBe(true);
    },
  );
});
