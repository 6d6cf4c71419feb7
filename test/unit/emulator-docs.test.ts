import { readFileSync } from "node:fs";
import { endpoints } from "../../provider/emulator/admin/endpoints";
import { faultRuleSchema } from "../../provider/emulator/faults";
import { operationNames } from "../../provider/emulator/operations";
import { resolveOptions } from "../../provider/emulator/options";
import { provenance } from "../../tools/emulator-docs/provenance";
import { emulatorPage, emulatorPagePath } from "../../tools/emulator-docs/emulator-page";

test("docs/emulator.md is up to date; if not, run `npm run docs`", () => {
  expect(readFileSync(emulatorPagePath, "utf8")).toBe(emulatorPage());
});

test("every option with a default is on the page", () => {
  for (const name of Object.keys(resolveOptions({}))) {
    expect(emulatorPage()).toContain(`| \`${name}\` |`);
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

test("no behaviour is told twice", () => {
  const behaviours = Object.values(provenance)
    .flat()
    .map(({ behaviour }) => behaviour);

  expect(new Set(behaviours).size).toBe(behaviours.length);
  expect(behaviours.length).toBeGreaterThan(operationNames.length);
});
