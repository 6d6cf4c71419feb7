import * as provider from "../../provider";
import type { FunctionProperties } from "../../provider/kinds/functions/look-up";
import { Declarations, type Field } from "../../tools/docs/declarations";
import { documentedFunctions, interfaceName } from "../../tools/docs/reference/functions";

// Functions declare each argument and each result once. TypeScript's hover text needs a copy, which these tests hold to it.

/** Fails unless the fields of an interface are those that are declared, with the same words. */
function expectSame(fields: readonly Field[], declared: FunctionProperties): void {
  expect(fields.map(({ name }) => name).sort()).toEqual(Object.keys(declared).sort());
  for (const { name, text, isRequired } of fields) {
    const { description = "", type } = declared[name] ?? {};
    expect(text.slice(0, description.length)).toBe(description);
    expect({ name, isRequired }).toEqual({ name, isRequired: !type?.safeParse(undefined).success });
  }
}

test("there are five functions, each exported in two forms", () => {
  const names = documentedFunctions.flatMap(({ name }) => [name, `${name}Output`]);
  const exported = Object.keys(provider).filter((name) => name.startsWith("getAgb"));
  expect(exported.sort()).toEqual(names.sort());
  expect(names).toHaveLength(10);
});

describe.each(documentedFunctions)("$name", ({ name, path, inputs, outputs }) => {
  const source = new Declarations(path);

  test.each(["Args", "OutputArgs"])("takes the arguments that are declared: %s", (suffix) => {
    expectSame(source.fields(`${interfaceName(name)}${suffix}`), inputs);
  });

  test("returns what is declared, and its secrets as outputs", () => {
    const fields = source.fields(`${interfaceName(name)}Result`);
    expectSame(fields, outputs);
    for (const { name: field, code } of fields) {
      expect(code.startsWith("pulumi.Output<")).toBe(outputs[field]?.isSecret ?? false);
    }
  });

  test("has examples that fit the types", () => {
    for (const { example, type } of Object.values(inputs)) {
      expect(type.safeParse(example).success).toBe(true);
    }
  });
});
