import * as fc from "fast-check";
import {
  createTokenTime,
  isReserved,
  isStackId,
  newCreateToken,
  newStackId,
  ownerLabels,
  ownershipKeys,
  withoutCreateToken,
} from "../../provider/lifecycle/ownership";

test("the owner's labels hold project, stack and resource under reserved keys", () => {
  const labels = ownerLabels({ project: "shop", stack: "dev", resource: "web" });
  expect(labels).toEqual({ "pulumi-project": "shop", "pulumi-stack": "dev", "pulumi-resource": "web" });
  expect(Object.keys(labels).every(isReserved)).toBe(true);
  const repository = "github.com/repositories/81";
  expect(ownerLabels({ project: "shop", stack: "dev", resource: "web", repository })).toEqual({
    ...labels,
    "pulumi-repository": repository,
  });
  expect(isReserved(ownershipKeys.repository)).toBe(true);
  expect(isReserved(ownershipKeys.create)).toBe(true);
  expect(isReserved("pulumi")).toBe(false);
  expect(isReserved("team")).toBe(false);
});

test("a session that outlives its resource carries a label that says so", () => {
  const names = { project: "shop", stack: "dev", resource: "web" };
  expect(ownerLabels({ ...names, retains: true })).toEqual({ ...ownerLabels(names), "pulumi-retain": "true" });
  expect(ownerLabels({ ...names, retains: false })).toEqual(ownerLabels(names));
});

test("the ids of stacks differ, and are recognised", () => {
  const ids = Array.from({ length: 1_000 }, newStackId);
  expect(new Set(ids).size).toBe(1_000);
  expect(ids.every(isStackId)).toBe(true);
  expect(isStackId("edddcd4e-1bb4-44ff-a14f-e7352353b7d8")).toBe(true);
  expect(
    ["", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "dev", "edddcd4e1bb444ffa14fe7352353b7d8"].some(
      isStackId,
    ),
  ).toBe(false);
});

test("a create token holds its time to the second", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date("1970-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }), (now) => {
      const token = newCreateToken(now);
      expect(token).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{12}$/);
      expect(createTokenTime(token)?.getTime()).toBe(Math.floor(now.getTime() / 1_000) * 1_000);
    }),
  );
});

test("two create tokens of the same moment differ", () => {
  const now = new Date("2026-11-22T16:47:26Z");
  expect(new Set(Array.from({ length: 100 }, () => newCreateToken(now))).size).toBe(100);
});

test.each([
  [""],
  ["20261122T164726Z"],
  ["20261122T164726Z-9f86d081884"],
  ["20261322T164726Z-9f86d081884c"],
  ["20261122T254726Z-9f86d081884c"],
  [" 20261122T164726Z-9f86d081884c"],
  ["someone-else's"],
])("%j is not a create token and holds no time", (text) => {
  expect(createTokenTime(text)).toBeUndefined();
});

test("only the create label is removed from what a program can declare", () => {
  expect(withoutCreateToken({ team: "web", "pulumi-stack": "dev", "pulumi-create": "x" })).toEqual({
    team: "web",
    "pulumi-stack": "dev",
  });
});
