import fc from "fast-check";
import { closeValue, holdsSecret, openValue, type WireValue } from "../../provider/hosts/plugin/property-values";
import { marksOf, type OpenedProperties } from "../../provider/hosts/plugin/secrets";
import { closeStruct, openStruct } from "../../provider/hosts/plugin/structs";
import { unknownValue } from "../../provider/kinds/hosted-kind";
import { readableStrings, secretValue, stringAsset } from "../support/plugin-client";

const signature = "4dabf18193072939515e22adb298388d";

/** Trees of values as the engine sends them. A secret is never in another one. */
function wireTree(leaf: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const plain = fc.letrec((tie) => ({
    tree: fc.oneof({ depthSize: "small" }, leaf, fc.array(tie("tree"), { maxLength: 3 }), objectOf(tie("tree"))),
  })).tree;
  return fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      leaf,
      plain.map(secretValue),
      fc.array(tie("tree"), { maxLength: 3 }),
      objectOf(tie("tree")),
    ),
  })).tree;
}

function objectOf(values: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> {
  // gRPC's maps cannot hold this name.
  const key = fc.oneof(fc.constantFrom("a", "b c", "labels"), fc.string()).filter((name) => !name.startsWith("__"));
  return fc.dictionary(key, values, { maxKeys: 4, noNullPrototype: true });
}

const archive = {
  [signature]: "0def7320c3a5731c473e5ecbe6d01bc7",
  hash: "hash",
  assets: { "a.txt": stringAsset("a"), folder: { [signature]: "0def7320c3a5731c473e5ecbe6d01bc7", path: "./x" } },
};

const anyLeaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.string(),
  fc.constantFrom<unknown>(unknownValue, stringAsset("text"), archive),
);

test("what is opened and closed again is the same, secrets, assets and unknown values too", () => {
  fc.assert(
    fc.property(objectOf(wireTree(anyLeaf)), (wire) => {
      const { value, mark } = openValue(wire as WireValue);
      expect(closeValue(value, mark)).toEqual(wire);
      const opened = value as Record<string, unknown>;
      expect(openStruct(closeStruct(opened, mark))).toEqual({ value, mark });
    }),
  );
});

test("the data of a value has no signatures", () => {
  fc.assert(
    fc.property(objectOf(wireTree(anyLeaf)), (wire) => {
      expect(JSON.stringify(openValue(wire as WireValue).value)).not.toContain(signature);
    }),
  );
});

const secretText = fc.string().map((text) => `hush-${text}`);

/** Changes that a provider may make to a value: what AGB tells may have another shape. */
const changes: readonly ((value: unknown) => unknown)[] = [
  (value) => value,
  (value) => (Array.isArray(value) ? [...value].reverse() : value),
  (value) => (Array.isArray(value) ? value.slice(1) : value),
  (value) => (isObject(value) ? { ...value, more: "more" } : value),
  (value) => (isObject(value) ? Object.fromEntries(Object.entries(value).slice(1)) : value),
  (value) => (isObject(value) ? { copy: Object.values(value)[0] ?? null, ...value } : value),
  (value) => [value],
  (value) => JSON.stringify(value),
];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

test("no secret string leaves unmarked, whatever the provider makes of the inputs", () => {
  const leaf = fc.oneof(fc.integer(), fc.constantFrom("plain", "other"));
  const inputs = objectOf(
    fc.oneof(
      secretText.map(secretValue),
      objectOf(fc.oneof(leaf, secretText.map(secretValue))),
      fc.array(fc.oneof(leaf, secretText.map(secretValue)), { maxLength: 4 }),
      objectOf(fc.oneof(leaf, secretText)).map(secretValue),
      leaf,
    ),
  );
  fc.assert(
    fc.property(inputs, fc.boolean(), fc.array(fc.constantFrom(...changes)), (wire, isState, edits) => {
      const opened = openValue(wire as WireValue) as OpenedProperties;
      const outputs = Object.fromEntries(
        Object.entries(opened.value).map(([name, value], index) => [name, (edits[index] ?? changes[0])?.(value)]),
      );
      const mark = marksOf(outputs, isState ? { olds: [opened] } : { news: opened });
      const shown = readableStrings(closeValue(outputs, mark));
      expect(shown.filter((text) => text.includes("hush-"))).toEqual([]);
    }),
  );
});

describe("a mark", () => {
  const opened = (wire: unknown) => openValue(wire as WireValue) as OpenedProperties;
  const close = (outputs: Record<string, unknown>, ...given: Parameters<typeof marksOf>[1][]) =>
    closeValue(outputs, marksOf(outputs, given[0] ?? {}));

  test("goes to what is made from the input, key by key", () => {
    const news = opened({ labels: { a: secretValue("1"), b: "2" } });
    const sources = { all: { inputs: ["labels"] }, hash: { inputs: ["labels"] }, other: { inputs: ["none"] } };
    expect(close({ all: { a: "x", b: "2", c: "3" }, hash: "h", other: "o" }, { news, sources })).toEqual({
      all: { a: secretValue("x"), b: "2", c: "3" },
      hash: secretValue("h"),
      other: "o",
    });
  });

  test("covers what is made from a secret setting", () => {
    const sources = { all: { settings: ["defaults"] } };
    expect(close({ all: { a: 1 } }, { sources, secretSettings: new Set(["defaults"]) })).toEqual({
      all: secretValue({ a: 1 }),
    });
    expect(close({ all: { a: 1 } }, { sources, secretSettings: new Set(["others"]) })).toEqual({ all: { a: 1 } });
  });

  test("of the state ends where the inputs have the same value without one", () => {
    const olds = [opened({ labels: { a: secretValue("1"), b: secretValue("2") } })];
    const news = opened({ labels: { a: "1", b: "3" } });
    expect(close({ labels: { a: "1", b: "2" } }, { news, olds })).toEqual({ labels: { a: "1", b: secretValue("2") } });
  });

  test("of the state stays on a value that the inputs no longer have", () => {
    const olds = [opened({ labels: secretValue({ a: "1" }) })];
    const news = opened({ labels: {} });
    expect(close({ labels: { a: "1" } }, { news, olds })).toEqual({ labels: { a: secretValue("1") } });
  });

  test("brings the engine's form of an asset back only where the value is the same", () => {
    const news = opened({ source: stringAsset("one") });
    expect(close({ source: { text: "one" } }, { news })).toEqual({ source: stringAsset("one") });
    expect(close({ source: { text: "two" } }, { news })).toEqual({ source: { text: "two" } });
  });
});

describe("forms that only the engine has", () => {
  test.each<[string, unknown, unknown]>([
    ["a reference to a resource is its id", { urn: "u", id: "session-1" }, "session-1"],
    ["one whose id is not known yet", { urn: "u", id: "" }, unknownValue],
    ["one to a component is its URN", { urn: "u" }, "u"],
  ])("%s", (_, reference, expected) => {
    const wire = { [signature]: "5cf8f73096256a8f31e491e813e4eb8e", ...(reference as object) } as WireValue;
    expect(openValue(wire)).toEqual({ value: expected, mark: undefined });
  });

  test("an output is its value, which may be secret or unknown", () => {
    const output = { [signature]: "d0e6a833031e9bbcd3f4e8bde6ca49a4" };
    expect(openValue({ ...output, value: "x" })).toEqual({ value: "x", mark: undefined });
    const unknown = openValue({ ...output, secret: true });
    expect(unknown.value).toBe(unknownValue);
    expect(holdsSecret(unknown.mark)).toBe(true);
  });

  test.each([
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
  ])("%s stands for a value that is not known yet", (wire) => {
    expect(openValue({ a: [wire] }).value).toEqual({ a: [unknownValue] });
  });

  test("properties that belong to another host do not reach the kind", () => {
    expect(openStruct(closeStruct({ __provider: "code", a: 1 }, undefined)).value).toEqual({ a: 1 });
  });
});
