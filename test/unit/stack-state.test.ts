import { parseStackState } from "../../provider/pulumi/stack-state";

const sessionType = "pulumi-nodejs:dynamic/agb:AgbSession";
const stackRow = { urn: "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", type: "pulumi:pulumi:Stack" };

function session(id: string | undefined, more: Record<string, unknown> = {}) {
  return { urn: `urn:pulumi:dev::shop::${sessionType}::web`, type: sessionType, ...(id && { id }), ...more };
}

function parse(resources: unknown) {
  return parseStackState(JSON.stringify({ version: 3, deployment: { manifest: {}, resources } }));
}

test("the sessions of a state are known, also those in components and those that wait for their deletion", () => {
  const inComponent = {
    urn: `urn:pulumi:dev::shop::shop:index:Preview$${sessionType}::a`,
    type: sessionType,
    id: "s-3",
  };
  const other = { urn: "urn:pulumi:dev::shop::aws:s3:Bucket::b", type: "aws:s3:Bucket", id: "bucket" };
  const resources = [
    stackRow,
    session("s-1"),
    session("s-2", { delete: true }),
    inComponent,
    other,
    session(undefined),
  ];
  expect(parse(resources)).toEqual({
    sessionIds: new Set(["s-1", "s-2", "s-3"]),
    name: { project: "shop", stack: "dev" },
  });
});

test.each([[[]], [null], [undefined]])("a state without resources (%j) knows no session and no stack", (resources) => {
  expect(parse(resources)).toEqual({ sessionIds: new Set(), name: undefined });
});

test.each([
  ["no JSON", "Name: dev", "it is not JSON"],
  ["nothing", "", "it is not JSON"],
  ["an empty object", "{}", "it is not what `pulumi stack export` writes"],
  ["a state that was cut off to nothing", '{"version":3,"deployment":null}', "it is not what"],
  ["a checkpoint of the file backend", '{"version":3,"checkpoint":{"latest":{"resources":[]}}}', "it is not what"],
  ["resources that are none", '{"deployment":{"resources":{"a":1}}}', "it is not what"],
  ["a resource without a type", '{"deployment":{"resources":[{"urn":"urn:pulumi:a::b::c::d"}]}}', "it is not what"],
  ["a list", "[]", "it is not what"],
])("what is no exported state is refused, never read as one without sessions: %s", (_, text, reason) => {
  expect(() => parseStackState(text)).toThrow(reason);
});
