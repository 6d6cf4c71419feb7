import { join } from "node:path";
import { endpoints } from "../../provider/emulator/admin/endpoints";
import { faultRuleSchema } from "../../provider/emulator/faults";
import { operationNames } from "../../provider/emulator/operations";
import { optionDefaults } from "../../provider/emulator/options";
import { Declarations } from "../../tools/docs/declarations";
import { emulatorPage } from "../../tools/docs/emulator/page";
import { provenance } from "../../tools/docs/emulator/provenance";
import { repositoryRoot } from "../support/node-process";

const page = emulatorPage(join(repositoryRoot, "docs", "emulator.md"));

test("every option with a default is on the page", () => {
  for (const name of Object.keys(optionDefaults)) {
    expect(page).toContain(`- [\`${name}\`](reference.md#`);
  }
});

test("the default that an option's description names is the one that holds", () => {
  const defaults: Readonly<Record<string, unknown>> = optionDefaults;
  const described = new Declarations("emulator/options.ts")
    .fields("EmulatorOptions")
    .filter(({ name }) => ["number", "string", "boolean"].includes(typeof defaults[name]));

  expect(described.length).toBeGreaterThan(12);
  for (const { name, defaultValue } of described) {
    const [, count, unit] = /^(\d+) ([MG])iB$/.exec(defaultValue) ?? [];
    const value = count === undefined ? JSON.parse(defaultValue) : Number(count) * 1024 ** (unit === "M" ? 2 : 3);
    expect([name, value]).toEqual([name, defaults[name]]);
  }
});

test("every option and every field of a fault rule names its default", () => {
  const fields = [
    ...new Declarations("emulator/options.ts").fields("EmulatorOptions"),
    ...["FaultRule", "FaultReply"].flatMap((name) => new Declarations("emulator/faults.ts").fields(name)),
  ];
  expect(fields.filter(({ isRequired, defaultValue }) => !isRequired && defaultValue === "")).toEqual([]);
});

test("every field of a fault rule and every endpoint is on the page", () => {
  for (const field of [...Object.keys(faultRuleSchema.shape), "status", "body", "headers"]) {
    expect(page).toContain(`- \`${field}\` (`);
  }
  for (const { method, path } of endpoints) {
    expect(page).toContain(`- \`${method} /_emulator/${path}\`: `);
  }
});

test("no behaviour is listed twice", () => {
  const behaviours = Object.values(provenance)
    .flat()
    .map(({ behaviour }) => behaviour);

  expect(new Set(behaviours).size).toBe(behaviours.length);
  expect(behaviours.length).toBeGreaterThan(operationNames.length);
});
