import { openProvider } from "../../provider/kinds/provider";
import { isOfKind, typeTokens } from "../../provider/type-tokens";

const kinds = Object.keys(typeTokens) as (keyof typeof typeTokens)[];

test("every kind has its tokens", () => {
  const served = Object.keys(openProvider({ environment: {}, say: () => {} }).kinds);
  expect([...kinds].sort()).toEqual([...served, "provider"].sort());
});

test("every token belongs to one kind only", () => {
  const all = kinds.flatMap((kind) => Object.values(typeTokens[kind]));
  expect(new Set(all).size).toBe(all.length);
  for (const token of all) {
    expect(kinds.filter((kind) => isOfKind(token, kind))).toHaveLength(1);
  }
});

test.each(["", "agb:index:Sessions", "aws:index:Session", "pulumi-nodejs:dynamic:Resource"])(
  "%j is of no kind",
  (type) => {
    expect(kinds.filter((kind) => isOfKind(type, kind))).toEqual([]);
  },
);
