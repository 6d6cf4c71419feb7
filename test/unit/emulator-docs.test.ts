import { readFileSync } from "node:fs";
import { join } from "node:path";
import { endpoints } from "../../provider/emulator/admin/endpoints";
import { faultRuleSchema } from "../../provider/emulator/faults";
import { operationNames } from "../../provider/emulator/operations";
import { optionDefaults } from "../../provider/emulator/options";
import { emulatorPage, emulatorPagePath } from "../../tools/emulator-docs/emulator-page";
import { readOptions } from "../../tools/emulator-docs/options-table";
import { provenance } from "../../tools/emulator-docs/provenance";
import { repositoryRoot } from "../support/node-process";

test("docs/emulator.md is up to date; if not, run `npm run docs:write`", () => {
  expect(readFileSync(emulatorPagePath, "utf8")).toBe(emulatorPage());
});

test("every option with a default is on the page", () => {
  for (const name of Object.keys(optionDefaults)) {
    expect(emulatorPage()).toContain(`| \`${name}\` |`);
  }
});

test("the default that an option's description names is the one that holds", () => {
  const defaults: Readonly<Record<string, unknown>> = optionDefaults;
  const described = readOptions(join(repositoryRoot, "provider", "emulator", "options.ts"), "EmulatorOptions").filter(
    ({ name }) => ["number", "string", "boolean"].includes(typeof defaults[name]),
  );

  expect(described.length).toBeGreaterThan(12);
  for (const { name, defaultValue } of described) {
    const [, count, unit] = /^(\d+) ([MG])iB$/.exec(defaultValue) ?? [];
    const value = count === undefined ? JSON.parse(defaultValue) : Number(count) * 1024 ** (unit === "M" ? 2 : 3);
    expect([name, value]).toEqual([name, defaults[name]]);
  }
});

test("every field of a fault rule and every endpoint is on the page", () => {
  for (const field of [...Object.keys(faultRuleSchema.shape), "status", "body", "headers"]) {
    expect(emulatorPage()).toContain(`| \`${field}\` |`);
  }
  for (const { method, path } of endpoints) {
    expect(emulatorPage()).toContain(`| \`${method} /_emulator/${path}\` |`);
  }
});

test("no behaviour is listed twice", () => {
  const behaviours = Object.values(provenance)
    .flat()
    .map(({ behaviour }) => behaviour);

  expect(new Set(behaviours).size).toBe(behaviours.length);
  expect(behaviours.length).toBeGreaterThan(operationNames.length);
});
