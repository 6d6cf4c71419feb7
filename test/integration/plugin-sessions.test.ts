import { declarationProblems } from "../../provider/kinds/check";
import { sessionProperties } from "../../provider/kinds/session";
import { testKey } from "../support/agb-emulator";
import { createContext, createId } from "../support/emulator-requests";
import { failureOfCall, providerId, secretValue, stringAsset, unknownString, urnOf } from "../support/plugin-client";
import { createResource, openPluginStack } from "../support/plugin-stack";
import { sweepById } from "../support/sweep-command";

// The plugin over gRPC with the emulator, as the engine calls it.

const type = "agb:index:Session";
const urn = urnOf(type, "web");
const imageId = "agb-code-space-1";
const names = { "pulumi-project": "shop", "pulumi-stack": "dev", "pulumi-resource": "web" };
const owner = { ...names, "pulumi-stack-id": providerId };

describe("the life of a session", () => {
  test("check names the owner from the URN, and create sets all labels", async () => {
    const { plugin, emulator } = await openPluginStack({ defaultLabels: '{"team":"web"}' });
    const { id, inputs, outputs } = await createResource(plugin, urn, { imageId, labels: { project: "shop" } });
    const labels = { project: "shop", team: "web", ...owner };
    expect(inputs).toEqual({ imageId, labels: { project: "shop" }, labelsAll: labels, stackId: providerId });
    const [session] = emulator.sessions();
    expect(session).toMatchObject({ sessionId: id, labels: { ...labels, "pulumi-create": expect.any(String) } });
    expect(outputs).toMatchObject({ imageId, labels: { project: "shop" }, labelsAll: session?.labels });
  });

  test("a refresh of a session that nobody touched changes nothing", async () => {
    const { plugin } = await openPluginStack();
    const { id, inputs, outputs } = await createResource(plugin, urn, { imageId, labels: { a: "1" } });
    const read = await plugin.read(urn, id, outputs, inputs);
    expect(read).toEqual({ id, properties: outputs, inputs });
    expect(await plugin.diff(urn, id, outputs, inputs)).toMatchObject({ changes: false, diffs: [], detailed: {} });
  });

  test("a refresh shows drift, the diff names each path, and an update repairs it", async () => {
    const { plugin, emulator } = await openPluginStack();
    const { id, inputs, outputs } = await createResource(plugin, urn, { imageId, labels: { "a b": "1", c: "2" } });
    const [session] = emulator.sessions();
    const { "a b": _, ...left } = session?.labels ?? {};
    await emulator.setLabels(id, { ...left, c: "3", d: "4" });
    const read = await plugin.read(urn, id, outputs, inputs);
    const difference = await plugin.diff(urn, id, read.properties, inputs);
    expect(difference).toEqual({
      changes: true,
      diffs: ["labels", "labelsAll"],
      replaces: [],
      deleteBeforeReplace: false,
      detailed: Object.fromEntries(
        ["labels", "labelsAll"].flatMap((name) => [
          [`${name}["a b"]`, "ADD"],
          [`${name}.c`, "UPDATE"],
          [`${name}.d`, "DELETE"],
        ]),
      ),
    });
    const updated = await plugin.update(urn, id, read.properties, inputs);
    expect(updated).toEqual(outputs);
    expect(emulator.sessions()[0]?.labels).toEqual(session?.labels);
  });

  test("another image replaces the session", async () => {
    const { plugin } = await openPluginStack();
    const { id, outputs } = await createResource(plugin, urn, { imageId });
    const { inputs } = await plugin.check(urn, { imageId: "agb-browser-use-1" });
    expect(await plugin.diff(urn, id, outputs, inputs)).toMatchObject({
      changes: true,
      diffs: ["imageId"],
      replaces: ["imageId"],
      detailed: { imageId: "UPDATE_REPLACE" },
    });
  });

  test("a released session is gone for a refresh, and a delete of it succeeds", async () => {
    const { plugin, emulator } = await openPluginStack();
    const { id, inputs, outputs } = await createResource(plugin, urn, { imageId });
    await emulator.release(id);
    expect(await plugin.read(urn, id, outputs, inputs)).toEqual({ id: "", properties: {}, inputs: undefined });
    await plugin.delete(urn, id, outputs);
  });

  test("a delete releases the session", async () => {
    const { plugin, emulator } = await openPluginStack();
    const { id, outputs } = await createResource(plugin, urn, { imageId });
    await plugin.delete(urn, id, outputs);
    expect(emulator.sessions()).toEqual([]);
  });
});

describe("a look-up by id, as `get` of an SDK", () => {
  test("returns what AGB knows and owns nothing", async () => {
    const { plugin, emulator } = await openPluginStack();
    const id = await createId(emulator.url, { a: "1" }, {}, testKey);
    const read = await plugin.read(urn, id, {}, {});
    expect(read).toMatchObject({ id, properties: { labels: { a: "1" }, labelsAll: { a: "1" } }, inputs: {} });
    expect(await plugin.read(urn, id, read.properties, {})).toEqual(read);
    expect(emulator.sessions()[0]?.labels).toEqual({ a: "1" });
  });

  test("fails when there is no such session", async () => {
    const { plugin } = await openPluginStack();
    const failure = await failureOfCall(plugin.read(urn, "session-unknown", {}, {}));
    expect(failure.details).toMatch(/^could not look up agb:index:Session .* \[AGB314\]$/s);
  });
});

describe("the id of the stack", () => {
  test("is that of the provider, and stays when a new version of the plugin has another provider", async () => {
    const { plugin, emulator } = await openPluginStack();
    const { id, inputs, outputs } = await createResource(plugin, urn, { imageId });
    await plugin.configure({}, "11111111-2222-3333-4444-555555555555");
    const later = await plugin.check(urn, { imageId }, inputs);
    expect(later.inputs).toEqual(inputs);
    const read = await plugin.read(urn, id, outputs, inputs);
    expect(read.inputs).toMatchObject({ stackId: providerId });
    expect(emulator.sessions()[0]?.labels).toMatchObject({ "pulumi-stack-id": providerId });
  });

  test("is not known in a preview whose provider does not exist yet", async () => {
    const { plugin } = await openPluginStack();
    await plugin.configure({}, unknownString);
    const { inputs, failures } = await plugin.check(urn, { imageId });
    expect(failures).toEqual([]);
    expect(inputs).toMatchObject({ stackId: unknownString, labelsAll: { ...names, "pulumi-stack-id": unknownString } });
  });

  test("is never taken from the labels of a session", async () => {
    const { plugin, emulator } = await openPluginStack();
    const { id, inputs, outputs } = await createResource(plugin, urn, { imageId });
    const foreign = { ...emulator.sessions()[0]?.labels, "pulumi-stack-id": "0123456789abcdef" };
    await emulator.setLabels(id, foreign);
    const read = await plugin.read(urn, id, outputs, inputs);
    const { inputs: news } = await plugin.check(urn, { imageId }, read.inputs);
    expect(news).toEqual(inputs);
    const difference = await plugin.diff(urn, id, read.properties, news);
    expect(difference.detailed).toEqual({ 'labelsAll["pulumi-stack-id"]': "UPDATE" });
  });
});

describe("retainOnDelete, which Pulumi does not tell a plugin", () => {
  const retained = { "pulumi-retain": "true" };

  test("labels the session, and an edit changes the label in place", async () => {
    const { plugin, emulator } = await openPluginStack();
    const { id, inputs, outputs } = await createResource(plugin, urn, { imageId, retainOnDelete: true });
    expect(emulator.sessions()[0]?.labels).toMatchObject({ ...owner, ...retained });
    expect(await plugin.read(urn, id, outputs, inputs)).toEqual({ id, properties: outputs, inputs });
    let before = { inputs, outputs };
    const edit = async (news: object) => {
      const { inputs: edited } = await plugin.check(urn, { imageId, ...news }, before.inputs);
      const difference = await plugin.diff(urn, id, before.outputs, edited);
      before = { inputs: edited, outputs: await plugin.update(urn, id, before.outputs, edited) };
      return { difference, labels: emulator.sessions()[0]?.labels };
    };
    for (const without of [{}, { retainOnDelete: false }]) {
      const removed = await edit(without);
      expect(removed.difference).toMatchObject({
        replaces: [],
        detailed: { 'labelsAll["pulumi-retain"]': "DELETE" },
      });
      expect(removed.labels).not.toHaveProperty("pulumi-retain");
      expect((await edit({ retainOnDelete: true })).labels).toMatchObject(retained);
    }
    expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual([id]);
  });

  test("keeps a sweep away that releases the other sessions of a stack that was removed", async () => {
    const { plugin, emulator } = await openPluginStack();
    const { id } = await createResource(plugin, urn, { imageId, retainOnDelete: true });
    const other = await createResource(plugin, urnOf(type, "worker"), { imageId });
    const name = { project: "shop", stack: "dev" };
    const { orphans } = await sweepById(emulator.url, { name, stackIds: [providerId], repository: undefined });
    expect(new Map(orphans.map(({ sessionId, action }) => [sessionId, action]))).toEqual(
      new Map([
        [id, "retained"],
        [other.id, "released"],
      ]),
    );
  });

  test("is kept from a class when a stack moves to the plugin, until the program says something else", async () => {
    const { plugin } = await openPluginStack();
    const olds = { imageId, labels: {}, labelsAll: { ...names, ...retained, "pulumi-stack-id": "0123456789abcdef" } };
    const labelsOf = async (news: object) => (await plugin.check(urn, { imageId, ...news }, olds)).inputs["labelsAll"];
    expect(await labelsOf({})).toEqual({ ...owner, ...retained });
    expect(await labelsOf({ retainOnDelete: true })).toEqual({ ...owner, ...retained });
    expect(await labelsOf({ retainOnDelete: false })).toEqual(owner);
  });

  test("is not known yet in a preview, and then nor are the labels", async () => {
    const { plugin } = await openPluginStack();
    const { inputs, failures } = await plugin.check(urn, { imageId, retainOnDelete: unknownString });
    expect(failures).toEqual([]);
    expect(inputs["labelsAll"]).toBe(unknownString);
  });

  test("is true or false, and no argument of the class", async () => {
    const { plugin } = await openPluginStack();
    expect((await plugin.check(urn, { imageId, retainOnDelete: "yes" })).failures).toEqual([
      "retainOnDelete: must be true or false, not a string [AGB103]",
    ]);
    const problems = declarationProblems("AgbSession", sessionProperties, { imageId, retainOnDelete: true });
    expect(problems).toEqual([expect.objectContaining({ path: "retainOnDelete", code: "AGB101" })]);
  });
});

describe("the setting repository", () => {
  const repository = "github.com/repositories/81";
  const label = { "pulumi-repository": repository };

  test("becomes a label, from which a program and a change of the host take nothing", async () => {
    const { plugin } = await openPluginStack({ repository });
    const labelsOf = async (olds: object) => (await plugin.check(urn, { imageId }, { ...olds })).inputs["labelsAll"];
    expect(await labelsOf({})).toEqual({ ...owner, ...label });
    const moved = { imageId, labelsAll: { ...names, "pulumi-repository": "github.com/repositories/7" } };
    expect(await labelsOf(moved)).toEqual({ ...owner, ...label });
    const declared = await plugin.check(urn, { imageId, labels: { "pulumi-repository": "mine" } });
    expect(declared.failures).toEqual([expect.stringMatching(/pulumi-repository.* \[AGB106\]$/)]);
  });

  test("is kept from a class when the plugin has no such setting", async () => {
    const { plugin } = await openPluginStack();
    const { inputs } = await plugin.check(urn, { imageId }, { imageId, labelsAll: { ...names, ...label } });
    expect(inputs["labelsAll"]).toEqual({ ...owner, ...label });
  });

  test("makes the labels secret where it is secret", async () => {
    const { plugin } = await openPluginStack({ repository: secretValue(repository) });
    const { inputs } = await plugin.check(urn, { imageId });
    expect(inputs["labelsAll"]).toEqual(secretValue({ ...owner, ...label }));
  });

  test("must be the id of a repository", async () => {
    const { plugin } = await openPluginStack();
    const failures = [expect.stringMatching(/^agb:repository cannot be used: .* \[AGB213\]$/)];
    expect(await plugin.checkConfig({ repository: "acme/shop" })).toMatchObject({ failures });
  });
});

describe("a preview", () => {
  test("of a create knows the inputs and makes no session", async () => {
    const { plugin, emulator } = await openPluginStack();
    const { inputs } = await plugin.check(urn, { imageId, labels: { a: "1", b: unknownString } });
    const preview = await plugin.create(urn, inputs, { preview: true });
    expect(preview).toEqual({
      id: "",
      properties: {
        ...inputs,
        appInstanceId: unknownString,
        resourceId: unknownString,
        released: unknownString,
      },
    });
    expect(emulator.sessions()).toEqual([]);
  });

  test("of an update keeps the outputs and changes nothing", async () => {
    const { plugin, emulator } = await openPluginStack();
    const { id, outputs } = await createResource(plugin, urn, { imageId, labels: { a: "1" } });
    const before = emulator.sessions()[0]?.labels;
    const { inputs } = await plugin.check(urn, { imageId, labels: { a: "2" } });
    const preview = await plugin.update(urn, id, outputs, inputs, { preview: true });
    const { appInstanceId, resourceId } = outputs;
    expect(preview).toEqual({ ...inputs, appInstanceId, resourceId, service: outputs["service"] });
    expect(emulator.sessions()[0]?.labels).toEqual(before);
  });
});

describe("what is wrong", () => {
  test("with a declaration is listed with its path, without the property, whose value Pulumi would print", async () => {
    const { plugin } = await openPluginStack();
    const { failures } = await plugin.check(urn, { labels: secretValue({ a: 5 }), imagId: "x" });
    expect(failures).toEqual([
      "imagId: unknown property; did you mean imageId? [AGB101]",
      "labels.a: must be a string, not a number [AGB103]",
    ]);
  });

  test("with the settings is said by CheckConfig, and again by the check of a resource", async () => {
    const { plugin } = await openPluginStack();
    const { failures } = await plugin.checkConfig({ endpoint: "http://[", timeOut: "1", version: "1.2.3" });
    expect(failures).toEqual([
      expect.stringMatching(/^timeOut: unknown setting; the provider has apiKey, endpoint, .* \[AGB209\]$/),
      expect.stringMatching(/^agb:endpoint cannot be used: .* \[AGB204\]$/),
    ]);
    await plugin.configure({ timeoutMs: "soon" });
    expect((await plugin.check(urn, { imageId })).failures).toEqual([
      expect.stringMatching(/^agb:timeoutMs cannot be used: .* \[AGB205\]$/),
    ]);
  });

  test("with the key is an error that names it", async () => {
    const { plugin, emulator } = await openPluginStack();
    const { id, inputs, outputs } = await createResource(plugin, urn, { imageId });
    emulator.setApiKeys(["another"]);
    const failure = await failureOfCall(plugin.read(urn, id, outputs, inputs));
    expect(failure.details).toMatch(
      /^could not refresh agb:index:Session "web" \(session .*\): .*AGB_API_KEY.* \[AGB202\]$/s,
    );
    expect(failure.details).not.toContain(testKey);
  });

  test("with the type is an error that names the types", async () => {
    const { plugin } = await openPluginStack();
    const failure = await failureOfCall(plugin.check(urnOf("agb:index:Sesion", "web"), {}));
    expect(failure.details).toMatch(/^unknown resource type "agb:index:Sesion": .*agb:index:Session.* \[AGB121\]$/);
    const unserved = await failureOfCall(plugin.construct());
    expect(unserved.details).toContain("does not implement");
  });
});

describe("what the user is told", () => {
  const commandUrn = urnOf("agb:index:Command", "build", "my:index:Shop");

  test("is on the row of its resource: output of commands as information, warnings as warnings", async () => {
    const { plugin, emulator } = await openPluginStack({}, { allowExec: true });
    const sessionId = await createId(emulator.url, {}, {}, testKey);
    await createResource(plugin, commandUrn, { sessionId, create: "echo built" });
    expect(plugin.logged).toEqual([{ message: "build: built", severity: "info", urn: commandUrn }]);

    const fileUrn = urnOf("agb:index:File", "config");
    const source = stringAsset("port: 80");
    const file = await createResource(plugin, fileUrn, { sessionId, source, path: "/tmp/x/config" });
    await createResource(plugin, urnOf("agb:index:Command", "clean"), {
      sessionId,
      create: "rm -rf /tmp/.pulumi-agb/f*",
    });
    await plugin.delete(fileUrn, file.id, file.outputs);
    const warning = { message: expect.stringMatching(/ \[AGB946\]$/), severity: "warning", urn: fileUrn };
    expect(plugin.logged.slice(1)).toEqual([warning]);
  });

  test("names the command's owner by stack and parent, so that two components may have the same command", async () => {
    const { plugin, emulator } = await openPluginStack({}, { allowExec: true });
    const sessionId = await createId(emulator.url, {}, {}, testKey);
    const { inputs } = await plugin.check(commandUrn, { sessionId, create: "true" });
    expect(inputs).toEqual({ sessionId, create: "true", stackId: providerId, parent: "my:index:Shop" });
  });
});

describe("customTimeouts", () => {
  test("limit the operation, and are no property", async () => {
    const { plugin, emulator } = await openPluginStack();
    const { inputs } = await plugin.check(urn, { imageId });
    const { properties } = await plugin.create(urn, inputs, { timeout: 600 });
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(inputs)));
    expect(properties).not.toHaveProperty("timeouts");
    emulator.addFault({ operation: "releaseSessionAsync", delayMs: 60_000 });
    const id = emulator.sessions()[0]?.sessionId ?? "";
    const limited = plugin.delete(urn, id, properties, { timeout: 1 });
    expect((await failureOfCall(limited)).details).toMatch(/ customTimeouts\.delete of the session.* \[AGB305\]$/s);
  });
});

describe("an import", () => {
  test("of IMAGE/ID finds image, labels and id, and its inputs pass the check", async () => {
    const { plugin, emulator } = await openPluginStack({ defaultLabels: '{"team":"web"}' });
    const id = await createId(emulator.url, { a: "1", team: "web" }, {}, testKey);
    const found = await plugin.import(urn, `${imageId}/${id}`);
    expect(found).toMatchObject({
      id,
      properties: { imageId, labels: { a: "1" }, labelsAll: { a: "1", team: "web" } },
      inputs: { imageId, labels: { a: "1" }, labelsAll: { a: "1", team: "web" } },
    });
    const { inputs, failures } = await plugin.check(urn, { imageId, labels: { a: "1" } }, found.inputs ?? {});
    expect(failures).toEqual([]);
    // The first update adds the labels that name the owner.
    const difference = await plugin.diff(urn, id, found.properties, inputs);
    expect(difference).toMatchObject({ replaces: [], diffs: ["labelsAll", "stackId"] });
    await plugin.update(urn, id, found.properties, inputs);
    expect(emulator.sessions()[0]?.labels).toMatchObject({ a: "1", team: "web", ...owner });
  });

  test("of a plain id leaves the image open: the first image is written down and replaces nothing", async () => {
    const { plugin, emulator } = await openPluginStack();
    const id = await createId(emulator.url, {}, {}, testKey);
    const found = await plugin.import(urn, id);
    expect(found.inputs).toMatchObject({ imageId: "" });
    // The engine checks what it imports.
    expect(await plugin.check(urn, found.inputs ?? {}, found.inputs)).toMatchObject({ failures: [] });
    const { inputs } = await plugin.check(urn, { imageId }, found.inputs);
    const difference = await plugin.diff(urn, id, found.properties, inputs);
    expect(difference).toMatchObject({ replaces: [], diffs: ["imageId", "labelsAll", "stackId"] });
    expect(difference.detailed["imageId"]).toBe("UPDATE");
    const updated = await plugin.update(urn, id, found.properties, inputs);
    expect(updated).toMatchObject({ imageId });
    const other = await plugin.check(urn, { imageId: "agb-browser-use-1" }, inputs);
    expect(await plugin.diff(urn, id, updated, other.inputs)).toMatchObject({ replaces: ["imageId"] });
  });

  test("but a new session needs an image", async () => {
    const { plugin } = await openPluginStack();
    expect((await plugin.check(urn, { imageId: "" })).failures).toEqual(["imageId: must not be blank [AGB104]"]);
  });

  test("of a session that does not exist, is released or belongs to another stack is a clear error", async () => {
    const { plugin, emulator } = await openPluginStack();
    const message = async (id: string) => (await failureOfCall(plugin.import(urn, id))).details;
    const nothing =
      /^could not import agb:index:Session "web" \(session .*\): no session with this id exists at .* \[AGB314\]$/s;
    expect(await message("session-unknown")).toMatch(nothing);
    const released = await createId(emulator.url, {}, {}, testKey);
    await emulator.release(released);
    expect(await message(`${imageId}/${released}`)).toMatch(nothing);
    const labels = { ...owner, "pulumi-stack": "prod" };
    const foreign = await createId(emulator.url, labels, {}, testKey);
    expect(await message(foreign)).toMatch(/belongs to resource web of shop\/prod\..* \[AGB407\]$/s);
  });

  test("of a context takes its id or its name", async () => {
    const { plugin, emulator } = await openPluginStack();
    const contextId = await createContext(emulator.url, "cache", testKey);
    const contextUrn = urnOf("agb:index:Context", "cache");
    const found = await plugin.import(contextUrn, "cache");
    expect(found).toMatchObject({ id: contextId, properties: { name: "cache" }, inputs: { name: "cache" } });
    expect(await plugin.import(contextUrn, contextId)).toEqual(found);
    const failure = await failureOfCall(plugin.import(contextUrn, "none"));
    expect(failure.details).toMatch(/^could not import agb:index:Context "cache" .* \[AGB314\]$/s);
    const checked = await plugin.check(contextUrn, { name: "cache" }, found.inputs);
    expect(await plugin.diff(contextUrn, contextId, found.properties, checked.inputs)).toMatchObject({
      changes: false,
    });
  });

  test("of a command or a file is refused", async () => {
    const { plugin } = await openPluginStack();
    for (const kind of ["Command", "File"]) {
      const failure = await failureOfCall(plugin.import(urnOf(`agb:index:${kind}`, "x"), "any"));
      expect(failure.details).toMatch(new RegExp(`^could not import agb:index:${kind} "x"?.*: .* \\[AGB120\\]$`, "s"));
    }
  });
});
