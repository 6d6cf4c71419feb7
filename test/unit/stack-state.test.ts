import { parseStackState } from "../../provider/pulumi/stack-state";
import { typeTokens } from "../../provider/type-tokens";
import { type Host, hosts } from "../support/resource-hosts";

const stackRow = { urn: "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", type: "pulumi:pulumi:Stack" };

function row(type: string, name: string, more: Record<string, unknown> = {}) {
  return { urn: `urn:pulumi:dev::shop::${type}::${name}`, type, ...more };
}

function session(
  id: string | undefined,
  more: Record<string, unknown> = {},
  host: Host = "dynamic",
): Record<string, unknown> {
  return { ...row(typeTokens.session[host], "web"), ...(id && { id }), ...more };
}

function parse(resources: unknown) {
  return parseStackState(JSON.stringify({ version: 3, deployment: { manifest: {}, resources } }));
}

test.each(hosts)("all sessions of a state are known, with those in components and pending deletion: %s", (host) => {
  const type = typeTokens.session[host];
  const inComponent = { urn: `urn:pulumi:dev::shop::shop:index:Preview$${type}::a`, type, id: "s-3" };
  const other = { urn: "urn:pulumi:dev::shop::aws:s3:Bucket::b", type: "aws:s3:Bucket", id: "bucket" };
  const resources = [
    stackRow,
    session("s-1", {}, host),
    session("s-2", { delete: true }, host),
    inComponent,
    other,
    session(undefined, {}, host),
  ];
  const { sessionIds, sessions, name } = parse(resources);
  expect(sessionIds).toEqual(new Set(["s-1", "s-2", "s-3"]));
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual(["s-1", "s-3"]);
  expect(name).toEqual({ project: "shop", stack: "dev" });
});

test.each(hosts)("contexts are in no list of sessions: %s", (host) => {
  const contextType = typeTokens.context[host];
  const context = {
    ...row(contextType, "files"),
    id: "SdkCtx-04bdw8o39bq47rv1t",
    outputs: { contextId: "SdkCtx-04bdw8o39bq47rv1t", name: "files", service: "http://127.0.0.1:8787" },
  };
  const inComponent = { ...context, urn: `urn:pulumi:dev::shop::shop:index:Preview$${contextType}::a`, id: "SdkCtx-2" };
  const { sessionIds, sessions, stackIds, name } = parse([
    context,
    inComponent,
    { ...context, id: "SdkCtx-3", delete: true },
    session("s-1", {}, host),
  ]);
  expect(sessionIds).toEqual(new Set(["s-1"]));
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual(["s-1"]);
  expect(stackIds).toEqual(new Set());
  expect(name).toEqual({ project: "shop", stack: "dev" });
  expect(parse([context]).sessions).toEqual([]);
});

describe("the stack's id", () => {
  const identity = row(typeTokens.stackIdentity.dynamic, "agb", { id: "0123456789abcdef" });
  const labelsAll = { "pulumi-project": "shop", "pulumi-stack": "dev", "pulumi-stack-id": "fedcba9876543210" };

  test("comes from the resource that holds it", () => {
    expect(parse([stackRow, identity, session("s-1")])).toMatchObject({
      stackIds: new Set(["0123456789abcdef"]),
      providerIds: new Set(),
    });
  });

  test.each(hosts)("never comes from the labels of a session, which others may have written: %s", (host) => {
    const outputs = { labelsAll, stackId: "fedcba9876543210" };
    const sessions = [session("s-1", { inputs: { labelsAll }, outputs }, host)];
    expect(parse([stackRow, ...sessions])).toMatchObject({ stackIds: new Set(), providerIds: new Set() });
  });
});

describe("the ids of the stack's providers", () => {
  const [ofStack, ofEurope, ofEarlier] = [
    "edddcd4e-1bb4-44ff-a14f-e7352353b7d8",
    "f52e9e83-1186-4768-9fcc-5750689c861a",
    "b6557934-dcb7-49e9-82ca-a1dcc0930a1d",
  ];
  const provider = (name: string, id: string) => row(typeTokens.provider.plugin, name, { id });

  test("come from the providers of the plugin, default and explicit", () => {
    const resources = [stackRow, provider("default_0_1_0", ofStack), provider("europe", ofEurope)];
    expect(parse(resources)).toMatchObject({ providerIds: new Set([ofStack, ofEurope]), stackIds: new Set() });
  });

  test("also come from what its sessions note when they are created: a later plugin has another default provider", () => {
    const resources = [
      provider("default_0_2_0", ofStack),
      session("s-1", { inputs: { stackId: ofEarlier } }, "plugin"),
      session("s-2", { inputs: { stackId: ofStack } }, "plugin"),
    ];
    expect(parse(resources).providerIds).toEqual(new Set([ofStack, ofEarlier]));
  });

  test.each([
    ["a session that is only looked up", session("s-1", { inputs: { stackId: ofEarlier }, external: true }, "plugin")],
    ["a dynamic session", session("s-1", { inputs: { stackId: ofEarlier } })],
    ["a command", row(typeTokens.command.plugin, "build", { id: "run-1", inputs: { stackId: ofEarlier } })],
    ["the provider of dynamic resources", row(typeTokens.provider.dynamic, "default", { id: ofEarlier })],
    ["the provider of another package", row("pulumi:providers:aws", "default", { id: ofEarlier })],
    ["a secret", session("s-1", { inputs: { stackId: { "4dabf18193072939515e22adb298388d": "1b" } } }, "plugin")],
    ["an empty string", session("s-1", { inputs: { stackId: "" } }, "plugin")],
  ])("never come from %s", (_, resource) => {
    expect(parse([stackRow, resource])).toMatchObject({ providerIds: new Set(), stackIds: new Set() });
  });
});

test("a stack that moves from one host to the other has the sessions and the ids of both", () => {
  const state = parse([
    stackRow,
    row(typeTokens.stackIdentity.dynamic, "agb", { id: "0123456789abcdef" }),
    row(typeTokens.provider.plugin, "default", { id: "edddcd4e-1bb4-44ff-a14f-e7352353b7d8" }),
    session("s-1"),
    session("s-2", { outputs: { labelsAll: { team: "web" } } }, "plugin"),
    session("s-3", { delete: true }, "plugin"),
  ]);
  expect(state.sessionIds).toEqual(new Set(["s-1", "s-2", "s-3"]));
  expect(state.sessions).toMatchObject([
    { sessionId: "s-1", labels: {} },
    { sessionId: "s-2", labels: { team: "web" } },
  ]);
  expect(state.stackIds).toEqual(new Set(["0123456789abcdef"]));
  expect(state.providerIds).toEqual(new Set(["edddcd4e-1bb4-44ff-a14f-e7352353b7d8"]));
});

test.each(hosts)("a session that the program only looks up is marked as such: %s", (host) => {
  const resources = [stackRow, session("s-1", { external: true }, host), session("s-2", {}, host)];
  expect(parse(resources).sessions).toMatchObject([
    { sessionId: "s-1", isExternal: true },
    { sessionId: "s-2", isExternal: false },
  ]);
});

describe.each(hosts)("what a session is: %s", (host) => {
  const sessionType = typeTokens.session[host];
  const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:x" };
  const read = (outputs: unknown) => parse([stackRow, session("s-1", { outputs }, host)]).sessions[0];

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
    expect(parse([stackRow, session("s-1", { urn }, host)]).sessions[0]).toMatchObject({ name: "a::b::c", urn });
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
    providerIds: new Set(),
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
