import * as fc from "fast-check";
import { cleanProperties } from "../../provider/kinds/clean-properties";

test("what Pulumi can carry is left as it is", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (properties) => {
      expect(JSON.stringify(cleanProperties(properties))).toBe(JSON.stringify(properties));
    }),
  );
});

test("what Pulumi cannot carry is left out at any depth", () => {
  expect(
    cleanProperties({
      nothing: undefined,
      method: () => 1,
      mark: Symbol("x"),
      large: 1n,
      nested: { nothing: undefined, kept: null, deeper: [{ nothing: undefined, kept: 0 }] },
    }),
  ).toEqual({ nested: { kept: null, deeper: [{ kept: 0 }] } });
  expect(Object.keys(cleanProperties({ nothing: undefined }))).toEqual([]);
});

test("the items of a list keep their places", () => {
  expect(cleanProperties({ list: [1, undefined, () => 2, 3] })).toEqual({ list: [1, null, null, 3] });
});

test("a date becomes its ISO text, and one that is no date does not fail", () => {
  expect(cleanProperties({ at: new Date(0), never: new Date(Number.NaN) })).toEqual({
    at: "1970-01-01T00:00:00.000Z",
    never: "",
  });
});

test("the given object is not changed", () => {
  const properties = { a: undefined, b: { c: undefined } };
  cleanProperties(properties);
  expect(Object.keys(properties)).toEqual(["a", "b"]);
  expect(Object.keys(properties.b)).toEqual(["c"]);
});
