import { dynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import { openProvider } from "../../provider/kinds/provider";
import { unknownValue } from "../../provider/kinds/unknown";

const owner = { "pulumi-project": "shop", "pulumi-stack": "dev", "pulumi-resource": "web" };
const host = { configure: () => {}, say: () => {} };
const provider = dynamicProvider(openProvider({ environment: {}, say: () => {} }).kinds.session, host);

const news = {
  imageId: "agb-code-space-1",
  labels: { team: "web" },
  labelsAll: { cost: "1", team: "web", ...owner },
  __provider: "new text",
};
const olds = {
  ...news,
  labelsAll: { ...news.labelsAll, "pulumi-create": "20261122T164726Z-9f86d081884c" },
  appInstanceId: "ai-1",
  resourceId: "p-1",
  __provider: "old text",
};

function diff(changedOlds: Record<string, unknown>, changedNews: Record<string, unknown>) {
  return provider.diff("session-1", { ...olds, ...changedOlds }, { ...news, ...changedNews } as typeof news);
}

/** Pulumi compares the inputs itself, shows the detail and honours replaceOnChanges. */
const left = { changes: undefined };

test("nothing changes when only the provider's text differs", async () => {
  expect(await diff({}, {})).toEqual({ changes: false });
});

test("the order of keys in what tells the provider how to act is no change", async () => {
  const [one, other] = [
    { timeouts: { create: 1, delete: 2 }, adopt: { labels: { a: "1", b: "2" } } },
    { timeouts: { delete: 2, create: 1 }, adopt: { labels: { b: "2", a: "1" } } },
  ];
  expect(await diff(one, other)).toEqual({ changes: false });
});

test("a released session that is to be kept is no change, also without its create label", async () => {
  const kept = { onRelease: "keep", released: true, labelsAll: news.labelsAll };
  expect(await diff(kept, { onRelease: "keep" })).toEqual({ changes: false });
});

test.each([
  ["a declared label", { labels: { team: "ops" }, labelsAll: { ...news.labelsAll, team: "ops" } }],
  ["a default label", { labelsAll: { ...news.labelsAll, cost: "2" } }],
  ["the resource's name, by an alias", { labelsAll: { ...news.labelsAll, "pulumi-resource": "site" } }],
])("%s of a released session that is to be kept cannot change any more", async (_, changed) => {
  expect(await diff({ onRelease: "keep", released: true }, { onRelease: "keep", ...changed })).toEqual({
    changes: false,
  });
});

test("the order of labels is no change", async () => {
  expect(await diff({}, { labelsAll: { ...owner, team: "web", cost: "1" } })).toEqual({ changes: false });
});

test.each([
  ["another image", {}, { imageId: "agb-browser-use-1" }, ["imageId"]],
  ["another idle time", { idleTimeoutSeconds: 60 }, { idleTimeoutSeconds: 61 }, ["idleTimeoutSeconds"]],
  ["an idle time where none was", {}, { idleTimeoutSeconds: 60 }, ["idleTimeoutSeconds"]],
  ["no idle time where one was", { idleTimeoutSeconds: 60 }, {}, ["idleTimeoutSeconds"]],
  ["another policy", { policyId: "a" }, { policyId: "b" }, ["policyId"]],
  ["no policy where one was", { policyId: "a" }, {}, ["policyId"]],
  ["an image that is not known yet", {}, { imageId: unknownValue }, ["imageId"]],
  ["several at once", { policyId: "a" }, { imageId: "x", policyId: "b" }, ["imageId", "policyId"]],
])("%s replaces the session", async (_, changedOlds, changedNews, replaces) => {
  const result = await diff(changedOlds, changedNews);
  expect(result).toEqual({ replaces });
  expect(result).toMatchObject(replaces.length > 0 ? {} : left);
});

test.each([
  ["a declared label with another value", {}, { labels: { team: "ops" } }],
  ["a declared label more", {}, { labels: { team: "web", a: "b" } }],
  ["a declared label less", {}, { labels: {} }],
  ["another default label", {}, { labelsAll: { ...news.labelsAll, cost: "2" } }],
  ["a default label less", {}, { labelsAll: { team: "web", ...owner } }],
  ["a resource that got another name by an alias", {}, { labelsAll: { ...news.labelsAll, "pulumi-resource": "site" } }],
  ["an owner's label that someone removed", { labelsAll: { team: "web", cost: "1", "pulumi-create": "x" } }, {}],
  ["a label that someone added", { labels: { team: "web", foreign: "x" } }, {}],
  ["a state without any labels", { labels: undefined, labelsAll: undefined }, {}],
  ["labels that are not known yet", {}, { labels: unknownValue, labelsAll: unknownValue }],
  [
    "a label's value that is not known yet",
    {},
    { labels: { team: unknownValue }, labelsAll: { ...news.labelsAll, team: unknownValue } },
  ],
  ["another list of labels to leave alone", { ignoreLabels: ["a"] }, { ignoreLabels: ["a", "b"] }],
  ["a session that is no longer adopted", { adopt: { sessionId: "session-1" } }, {}],
  ["another meaning of a release", {}, { onRelease: "keep" }],
  ["another limit", { timeouts: { create: 5 } }, { timeouts: { create: 6 } }],
  ["all labels that are not known yet beside declared ones that are", {}, { labelsAll: unknownValue }],
])("%s updates the session in place", async (_, changedOlds, changedNews) => {
  expect(await diff(changedOlds, changedNews)).toEqual({ replaces: [] });
});

test("a state with as many labels as the unknown value has letters does not confuse the comparison", async () => {
  const labels = Object.fromEntries(Array.from(unknownValue, (letter, index) => [String(index), letter]));
  expect(await diff({ labels }, { labels: unknownValue, labelsAll: unknownValue })).toEqual({ replaces: [] });
});

test("a create label that someone removed is a change although no input shows it", async () => {
  expect(await diff({ labelsAll: news.labelsAll }, {})).toEqual({ changes: true });
});

test("another create label than ours is no change, for it tells who made the session; a spoilt one is", async () => {
  const carrying = (createLabel: string) => ({ labelsAll: { ...news.labelsAll, "pulumi-create": createLabel } });
  expect(await diff(carrying("20261122T164726Z-0123456789ab"), {})).toEqual({ changes: false });
  expect(await diff(carrying("spoilt"), {})).toEqual({ changes: true });
});
