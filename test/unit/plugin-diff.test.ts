import { DiffResponse, PropertyDiff } from "@pulumi/pulumi/proto/provider_pb";
import { diffResponse } from "../../provider/hosts/plugin/detailed-diff";
import type { Mark } from "../../provider/hosts/plugin/property-values";
import { type DetailedDifference, unknownValue } from "../../provider/kinds/hosted-kind";
import { parseUrn } from "../../provider/urn";

function show(difference: Partial<DetailedDifference>, news: Record<string, unknown>, marks: Mark[] = []) {
  const nothing = { before: {}, changed: [], replaces: [], isUnfinished: false, deleteBeforeReplace: false };
  const response = diffResponse({ ...nothing, ...difference }, news, marks);
  const names = Object.keys(PropertyDiff.Kind);
  const details: Record<string, string | undefined> = {};
  response.getDetaileddiffMap().forEach((entry, path) => {
    details[path] = names[entry.getKind()];
  });
  return {
    changes: response.getChanges() === DiffResponse.DiffChanges.DIFF_SOME,
    diffs: response.getDiffsList(),
    replaces: response.getReplacesList(),
    details,
  };
}

test("a difference is shown at each path, and in the list by its top-level name", () => {
  const before = {
    labels: { same: "1", "a.b": "1", gone: "1", constructor: "1", 'q"': "1" },
    mounts: [{ path: "/a" }, { path: "/b" }],
  };
  const news = { labels: { same: "1", "a.b": "2", new: "1" }, mounts: [{ path: "/c" }] };
  expect(show({ changed: ["labels", "mounts"], before }, news)).toEqual({
    changes: true,
    diffs: ["labels", "mounts"],
    replaces: [],
    details: {
      'labels["a.b"]': "UPDATE",
      "labels.gone": "DELETE",
      "labels.constructor": "DELETE",
      "labels.new": "ADD",
      'labels["q\\""]': "DELETE",
      "mounts[0].path": "UPDATE",
      "mounts[1]": "DELETE",
    },
  });
});

test("a key that no path can name is shown as a change of what holds it", () => {
  const before = { labels: { "dir\\": "1", "a.\\": "1", 'q\\"x': "1", same: "1" } };
  const news = { labels: { "dir\\": "2", "a.\\": "2", 'q\\"x': "2", same: "1" } };
  expect(show({ changed: ["labels"], before }, news).details).toEqual({
    "labels.dir\\": "UPDATE",
    'labels["q\\\\"x"]': "UPDATE",
    labels: "UPDATE",
  });
});

test("no path leads into a secret, on either side", () => {
  const isSecret = { isSecret: true };
  const marks = [
    { parts: new Map([["one", isSecret]]) },
    { parts: new Map([["two", { parts: new Map([["a", isSecret]]) }]]) },
  ];
  const before = { one: { k: "1" }, two: { a: { k: "1" }, b: "1" } };
  const news = { one: { k: "2" }, two: { a: { k: "2" }, b: "2" } };
  expect(show({ changed: ["one", "two"], before }, news, marks).details).toEqual({
    one: "UPDATE",
    "two.a": "UPDATE",
    "two.b": "UPDATE",
  });
});

test.each<[string, unknown, unknown, string]>([
  ["a value that appears", undefined, "x", "ADD_REPLACE"],
  ["a value that goes", "x", undefined, "DELETE_REPLACE"],
  ["a value that changes", "x", "y", "UPDATE_REPLACE"],
  ["a value that is not known yet", { a: 1 }, unknownValue, "UPDATE_REPLACE"],
  ["a value of another shape", { a: 1 }, [1], "UPDATE_REPLACE"],
  ["a reason that no value shows", "x", "x", "UPDATE_REPLACE"],
])("a replacement because of %s", (_, before, news, kind) => {
  const difference = { changed: ["image"], replaces: ["image"], before: { image: before } };
  expect(show(difference, { image: news })).toMatchObject({ replaces: ["image"], details: { image: kind } });
});

test("what only has to be finished is a change without a path", () => {
  expect(show({ isUnfinished: true }, {})).toEqual({ changes: true, diffs: [], replaces: [], details: {} });
  expect(show({}, {})).toMatchObject({ changes: false });
});

test.each([
  ["urn:pulumi:dev::shop::agb:index:Session::web", undefined, "agb:index:Session", "web"],
  ["urn:pulumi:dev::shop::my:x:A$my:x:B$agb:index:File::a::b$c", "my:x:A$my:x:B", "agb:index:File", "a::b$c"],
])("the URN %s", (urn, parentType, type, name) => {
  expect(parseUrn(urn)).toEqual({ stack: "dev", project: "shop", parentType, type, name });
});
