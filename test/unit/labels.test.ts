import * as fc from "fast-check";
import { parseJson } from "../../provider/api/json";
import { encodeLabels, labelsSchema } from "../../provider/api/labels";
import {
  hasLabel,
  labelCountProblem,
  labelDifferences,
  labelLimits,
  labelProblems,
  sameLabels,
} from "../../provider/lifecycle/labels";

const keys = fc.oneof(
  { arbitrary: fc.string({ unit: "binary" }), weight: 8 },
  fc.constantFrom("__proto__", "constructor"),
);
const labelSets = fc
  .array(fc.tuple(keys, fc.string({ unit: "binary" })), { maxLength: 8 })
  .map((entries) => Object.fromEntries(entries) as Record<string, string>);
/** A number as programs in any language may write it. */
const numbers = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.bigInt({ min: 0n, max: 10n ** 30n }),
    fc.constantFrom("", ".0", ".10", ".5e3", "E-7", "e+400"),
  )
  .map((parts) => parts.join(""));

describe("labels on the wire", () => {
  test("are read as they were sent, from a string and from an object", () => {
    fc.assert(
      fc.property(labelSets, (labels) => {
        expect(sameLabels(labelsSchema.parse(encodeLabels(labels)), labels)).toBe(true);
        expect(sameLabels(labelsSchema.parse({ ...labels }), labels)).toBe(true);
      }),
      { examples: [[{ constructor: "x" }], [{ "ü \u2028": "\ud800" }]] },
    );
  });

  test("survive the query of a URL", () => {
    fc.assert(
      fc.property(labelSets, (labels) => {
        const query = new URLSearchParams({ Labels: encodeLabels(labels) }).toString();
        const received = new URLSearchParams(query).get("Labels");
        expect(sameLabels(labelsSchema.parse(received), labels)).toBe(true);
      }),
    );
  });

  test("that other tools stored as JSON keep their keys and the digits of their numbers", () => {
    const value = fc.oneof(
      fc.string({ unit: "binary" }).map((text) => ({ json: JSON.stringify(text), text })),
      numbers.map((text) => ({ json: text, text })),
      fc.constantFrom({ json: "true", text: "true" }, { json: "false", text: "false" }, { json: "null", text: "" }),
    );
    const blank = fc.constantFrom("", " ", "\n\t");
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(keys, value), { selector: ([key]) => key }), blank, (entries, space) => {
        const members = entries.map(([key, { json }]) => `${space}${JSON.stringify(key)}${space}:${space}${json}`);
        const stored = `{${members.join(",")}${space}}`;
        const labels = Object.fromEntries(entries.map(([key, { text }]) => [key, text]));
        expect(sameLabels(labelsSchema.parse(stored), labels)).toBe(true);
        // AGB may send them as a string, or as an object in the reply's own JSON.
        for (const inReply of [stored, JSON.stringify(stored)]) {
          const reply = parseJson(`{"success":true,"data":{"labels":${inReply}}}`) as { data: { labels: unknown } };
          expect(sameLabels(labelsSchema.parse(reply.data.labels), labels)).toBe(true);
        }
      }),
      { examples: [[[["__proto__", { json: "12345678901234567890", text: "12345678901234567890" }]], ""]] },
    );
  });

  test.each(["{1:2}", "[01]", '{"a":1.}', '{"a":--1}', "", "1 2"])("in invalid JSON are not read: %j", (text) => {
    expect(parseJson(text)).toBeUndefined();
  });

  test.each([[undefined], [null], [""], ["{}"], ["null"], [{}]])("%j means none", (value) => {
    expect(labelsSchema.parse(value)).toEqual({});
  });

  test("that another tool stored as numbers, booleans and nulls are read as strings", () => {
    expect(labelsSchema.parse('{"a":1,"b":true,"c":null}')).toEqual({ a: "1", b: "true", c: "" });
  });

  test.each([["not JSON"], ["[]"], ['"text"'], ["5"], [[]], [5], ['{"a":{}}'], ['{"a":["b"]}'], [{ a: {} }]])(
    "in an unknown form are an error, not an empty set: %j",
    (value) => {
      expect(labelsSchema.safeParse(value).success).toBe(false);
    },
  );
});

describe("declared labels", () => {
  test.each([
    ["an empty set", {}],
    ["ordinary ones", { team: "web", "a b": "x-y_z.1:2" }],
    ["the longest ones", { ["k".repeat(128)]: "v".repeat(256) }],
  ])("that are valid have no problem: %s", (_, labels) => {
    expect(labelProblems(labels)).toEqual([]);
  });

  test("are reported with all their problems, each with its key", () => {
    const labels = {
      "": "a",
      " ": "b",
      good: "c",
      "a b": "",
      blank: " \t",
      count: 5,
      nothing: null,
      list: ["x"],
      "pulumi-stack": "mine",
      long: "v".repeat(257),
      ["k".repeat(129)]: "x",
    };
    expect(labelProblems(labels)).toEqual([
      { key: "", reason: "the key is blank", code: "AGB105", isAboutKey: true },
      { key: " ", reason: "the key is blank", code: "AGB105", isAboutKey: true },
      { key: "a b", reason: "the value is blank; leave the label out instead", code: "AGB105", isAboutKey: false },
      { key: "blank", reason: "the value is blank; leave the label out instead", code: "AGB105", isAboutKey: false },
      { key: "count", reason: "must be a string, not a number", code: "AGB103", isAboutKey: false },
      { key: "nothing", reason: "must be a string, not null", code: "AGB103", isAboutKey: false },
      { key: "list", reason: "must be a string, not a list", code: "AGB103", isAboutKey: false },
      {
        key: "pulumi-stack",
        reason: 'keys that begin with "pulumi-" are reserved for the provider; choose another key',
        code: "AGB106",
        isAboutKey: true,
      },
      { key: "long", reason: "the value has 257 characters; the limit is 256", code: "AGB105", isAboutKey: false },
      {
        key: "k".repeat(129),
        reason: "the key has 129 characters; the limit is 128",
        code: "AGB105",
        isAboutKey: true,
      },
    ]);
  });

  test("can have two problems in one entry", () => {
    expect(labelProblems({ " ": 1 })).toHaveLength(2);
  });

  test("are measured as the sibling platform's Java client does, in UTF-16 units", () => {
    expect(labelProblems({ face: "😀".repeat(128) })).toEqual([]);
    expect(labelProblems({ face: "😀".repeat(129) })).toHaveLength(1);
  });

  test("never appear with their value in a problem, because it may be secret", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 257, maxLength: 300 }), (value) => {
        const [problem] = labelProblems({ token: value });
        expect(problem?.reason).not.toContain(value);
      }),
    );
  });

  test("may be twenty in total; one more is a problem that counts them by origin", () => {
    expect(labelCountProblem(4, 10, 6)).toBeUndefined();
    expect(labelCountProblem(4, 10, 7)).toBe(
      "21 labels in total (10 declared, 7 default, 4 of the provider); the limit is 20",
    );
    expect(labelLimits.count).toBe(20);
  });
});

describe("differences", () => {
  test("are none exactly when the two sets are the same, whatever their order", () => {
    fc.assert(
      fc.property(labelSets, labelSets, (one, other) => {
        const reversed = Object.fromEntries(Object.entries(one).reverse());
        expect(sameLabels(one, reversed)).toBe(true);
        expect(labelDifferences(one, reversed)).toEqual([]);
        expect(sameLabels(one, other)).toBe(labelDifferences(one, other).length === 0);
        expect(sameLabels(one, other)).toBe(sameLabels(other, one));
      }),
    );
  });

  test("say what happened to each label, without the values", () => {
    expect(
      labelDifferences({ same: "1", changed: "2", lost: "3" }, { same: "1", changed: "secret", left: "secret" }),
    ).toEqual(['"changed" has another value', '"lost" is missing', '"left" is still there, although it was removed']);
  });

  test("do not treat inherited properties of objects as labels", () => {
    expect(hasLabel({}, "toString", Object.prototype.toString)).toBe(false);
    expect(labelDifferences({ constructor: "x" }, {})).toEqual(['"constructor" is missing']);
    expect(labelDifferences({}, { valueOf: "x" })).toEqual(['"valueOf" is still there, although it was removed']);
  });
});
