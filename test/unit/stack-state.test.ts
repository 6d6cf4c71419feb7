import { parseStackState } from "../../provider/pulumi/stack-state";

const sessionType = "pulumi-nodejs:dynamic/agb:AgbSession";
const stackRow = { urn: "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", type: "pulumi:pulumi:Stack" };

function session(id: string | undefined, more: Record<string, unknown> = {}) {
  return { urn: `urn:pulumi:dev::shop::${sessionType}::web`, type: sessionType, ...(id && { id }), ...more };
}

function parse(resources: unknown) {
  return parseStackState(JSON.stringify({ version: 3, deployment: { manifest: {}, resources } }));
}

test("all sessions of a state are known, including those in components and those that are pending deletion", () => {
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
  const { sessionIds, sessions, name } = parse(resources);
  expect(sessionIds).toEqual(new Set(["s-1", "s-2", "s-3"]));
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual(["s-1", "s-3"]);
  expect(name).toEqual({ project: "shop", stack: "dev" });
});

test("contexts are in no list of sessions", () => {
  const contextType = "pulumi-nodejs:dynamic/agb:AgbContext";
  const context = {
    urn: `urn:pulumi:dev::shop::${contextType}::files`,
    type: contextType,
    id: "SdkCtx-04bdw8o39bq47rv1t",
    outputs: { contextId: "SdkCtx-04bdw8o39bq47rv1t", name: "files", service: "http://127.0.0.1:8787" },
  };
  const inComponent = { ...context, urn: `urn:pulumi:dev::shop::shop:index:Preview$${contextType}::a`, id: "SdkCtx-2" };
  const { sessionIds, sessions, stackIds, name } = parse([
    context,
    inComponent,
    { ...context, id: "SdkCtx-3", delete: true },
    session("s-1"),
  ]);
  expect(sessionIds).toEqual(new Set(["s-1"]));
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual(["s-1"]);
  expect(stackIds).toEqual(new Set());
  expect(name).toEqual({ project: "shop", stack: "dev" });
  expect(parse([context]).sessions).toEqual([]);
});

describe("the stack's id", () => {
  const identityType = "pulumi-nodejs:dynamic/agb:AgbStackIdentity";
  const identity = { urn: `urn:pulumi:dev::shop::${identityType}::agb`, type: identityType, id: "0123456789abcdef" };

  test("comes from the resource that holds it", () => {
    expect(parse([stackRow, identity, session("s-1")]).stackIds).toEqual(new Set(["0123456789abcdef"]));
  });

  test("never comes from the labels of a session, which others may have written", () => {
    const labelsAll = { "pulumi-project": "shop", "pulumi-stack": "dev", "pulumi-stack-id": "fedcba9876543210" };
    expect(parse([stackRow, session("s-1", { outputs: { labelsAll } })]).stackIds).toEqual(new Set());
  });
});

test("a session that the program only looks up is marked as such", () => {
  expect(parse([stackRow, session("s-1", { external: true }), session("s-2")]).sessions).toMatchObject([
    { sessionId: "s-1", isExternal: true },
    { sessionId: "s-2", isExternal: false },
  ]);
});

describe("what a session is", () => {
  const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:x" };
  const read = (outputs: unknown) => parse([stackRow, session("s-1", { outputs })]).sessions[0];

  test("is read from its outputs", () => {
    const outputs = {
      imageId: "image-1",
      labelsAll: { team: "web" },
      idleTimeoutSeconds: 60,
      released: true,
      service: "http://127.0.0.1:8787",
    };
    expect(read(outputs)).toEqual({
      name: "web",
      urn: `urn:pulumi:dev::shop::${sessionType}::web`,
      sessionId: "s-1",
      imageId: "image-1",
      labels: { team: "web" },
      idleTimeoutSeconds: 60,
      isReleased: true,
      isExternal: false,
      service: "http://127.0.0.1:8787",
    });
  });

  test("has the name that follows the type, with all its colons", () => {
    const urn = `urn:pulumi:dev::shop::shop:index:Preview$${sessionType}::a::b::c`;
    expect(parse([stackRow, session("s-1", { urn })]).sessions[0]).toMatchObject({ name: "a::b::c", urn });
  });

  test("keeps secrets secret", () => {
    expect(
      read({ imageId: secret, labelsAll: { team: "web", token: secret }, idleTimeoutSeconds: secret }),
    ).toMatchObject({ imageId: "[secret]", labels: { team: "web", token: "[secret]" }, idleTimeoutSeconds: undefined });
    expect(read({ labelsAll: secret })).toMatchObject({ labels: "[secret]", isReleased: false });
  });

  test.each([[undefined], [null], [{}], [{ labelsAll: 7, imageId: [] }]])(
    "is little when its outputs are %j",
    (outputs) => {
      expect(read(outputs)).toMatchObject({ sessionId: "s-1", imageId: "", labels: {} });
    },
  );
});

test.each([[[]], [null], [undefined]])("a state without resources (%j) knows no session and no stack", (resources) => {
  expect(parse(resources)).toEqual({
    sessionIds: new Set(),
    sessions: [],
    appOutputs: [],
    urns: new Set(),
    name: undefined,
    stackIds: new Set(),
  });
});

test.each([
  ["something that is not JSON", "Name: dev", "it is not JSON"],
  ["nothing", "", "it is not JSON"],
  ["an empty object", "{}", "it is not what `pulumi stack export` writes"],
  ["a state that was cut off to nothing", '{"version":3,"deployment":null}', "it is not what"],
  ["a checkpoint of the file backend", '{"version":3,"checkpoint":{"latest":{"resources":[]}}}', "it is not what"],
  ["resources that are not a list", '{"deployment":{"resources":{"a":1}}}', "it is not what"],
  ["a resource without a type", '{"deployment":{"resources":[{"urn":"urn:pulumi:a::b::c::d"}]}}', "it is not what"],
  ["a list", "[]", "it is not what"],
])("anything but an exported state is refused, never read as one without sessions: %s", (_, text, reason) => {
  expect(() => parseStackState(text)).toThrow(reason);
});
