// What users write as the id of an import, spoken to a plugin as the engine does.

import { testKey } from "../support/agb-emulator";
import { createContext, createId } from "../support/emulator-requests";
import { failureOfCall, providerId, urnOf } from "../support/plugin-client";
import { createResource, openPluginStack } from "../support/plugin-stack";

const urn = urnOf("agb:index:Session", "web");
const contextUrn = urnOf("agb:index:Context", "data");
const imageId = "agb-code-space-1";

describe("the id of a session", () => {
  test.each([
    ["alone", "", ""],
    [
      "after an image with slashes and a colon",
      "registry.example:5000/team/tools:1.2/",
      "registry.example:5000/team/tools:1.2",
    ],
    ["after an empty image", "/", ""],
    ["with spaces around it and the image", `  ${imageId} / `, imageId],
  ])("%s is found", async (_, before, image) => {
    const { plugin, emulator } = await openPluginStack();
    const id = await createId(emulator.url, { team: "stores" }, {}, testKey);
    for (const written of [`${before}${id}`, `${before}${id} \n`]) {
      const found = await plugin.import(urn, written);
      expect(found).toMatchObject({ id, properties: { imageId: image, labels: { team: "stores" } } });
    }
  });

  test.each(["", " ", "/", `${imageId}/`, `${imageId}/ `])(
    "that is missing, %j, is an error, and AGB is not asked",
    async (written) => {
      const { plugin, emulator } = await openPluginStack();
      const { details } = await failureOfCall(plugin.import(urn, written));
      expect(details).toMatch(/: no session with this id exists .* IMAGE\/SESSION_ID, .* \[AGB314\]$/s);
      expect(emulator.requests()).toEqual([]);
    },
  );

  test.each<[string, (id: string) => string]>([
    ["after a colon", (id) => `${imageId}:${id}`],
    ["before the image", (id) => `${id}/${imageId}`],
    ["in capital letters", (id) => id.toUpperCase()],
    ["with a space in it", (id) => id.replace("-", "- ")],
  ])("%s is unknown, and the error shows the form", async (_, write) => {
    const { plugin, emulator } = await openPluginStack();
    const id = await createId(emulator.url, {}, {}, testKey);
    const { details } = await failureOfCall(plugin.import(urn, write(id)));
    expect(details).toMatch(/: no session with this id exists .* IMAGE\/SESSION_ID, .* \[AGB314\]$/s);
  });
});

describe("the id of a context", () => {
  const name = "Shop: data/v1 (old)";

  test("or its name is found, with spaces around it too", async () => {
    const { plugin, emulator } = await openPluginStack();
    const contextId = await createContext(emulator.url, name, testKey);
    for (const written of [name, contextId, ` ${name} `, ` ${contextId}\n`]) {
      expect(await plugin.import(contextUrn, written)).toMatchObject({ id: contextId, inputs: { name } });
    }
  });

  test("or its name is found where AGB refuses to look up ids", async () => {
    const { plugin, emulator } = await openPluginStack();
    const contextId = await createContext(emulator.url, name, testKey);
    for (const written of [name, contextId]) {
      emulator.addFault({
        operation: "GetContext",
        calls: 1,
        answer: { status: 400, body: { success: false, code: "InvalidParameter" } },
      });
      expect(await plugin.import(contextUrn, written)).toMatchObject({ id: contextId, inputs: { name } });
    }
  });

  test.each(["shop: data/v1 (old)", `x/${name}`, "", " "])("that is unknown, %j, is an error", async (written) => {
    const { plugin, emulator } = await openPluginStack();
    await createContext(emulator.url, name, testKey);
    const { details } = await failureOfCall(plugin.import(contextUrn, written));
    expect(details).toMatch(
      /: no context with this id exists .* Import the id or the name of a context that exists\. \[AGB314\]$/s,
    );
  });
});

describe("a session of this stack that the state has lost", () => {
  test.each([
    ["", {}],
    [", with retainOnDelete", { retainOnDelete: true }],
  ])("is imported as it was%s: the next diff finds nothing", async (_, more) => {
    const { plugin } = await openPluginStack({ defaultLabels: '{"owner":"web"}' });
    const declared = { imageId, labels: { team: "stores" }, ...more };
    const { id, inputs, outputs } = await createResource(plugin, urn, declared);
    const found = await plugin.import(urn, `${imageId}/${id}`);
    expect(found).toEqual({ id, inputs, properties: outputs });
    const { inputs: checked } = await plugin.check(urn, declared, found.inputs);
    expect(await plugin.diff(urn, id, found.properties, checked)).toMatchObject({ changes: false, detailed: {} });
  });

  test("belongs to another stack if the stack is a new one with the same name, and the error says so", async () => {
    const { plugin } = await openPluginStack();
    const { id } = await createResource(plugin, urn, { imageId });
    const newId = "5e1f7a52-0c1d-4a0e-9b43-2f6d1f0c7a11";
    await plugin.configure({}, newId);
    const { details } = await failureOfCall(plugin.import(urn, id));
    expect(details).toMatch(/ belongs to resource web of another stack called shop\/dev/);
    expect(details).toContain(`its id is ${providerId}, and the id of this stack is ${newId}`);
    expect(details).toMatch(/ \[AGB407\]$/);
  });
});

describe("a session that two resources import before either owns it", () => {
  const otherUrn = urnOf("agb:index:Session", "api");

  test.each([
    [true, {}],
    [false, {}],
    [true, { "pulumi-create": "20261122T164726Z-9f86d081884c" }],
    [false, { "pulumi-create": "20261122T164726Z-9f86d081884c" }],
  ])(
    "belongs to the first that runs; the other changes and releases nothing (refresh: %s, labels: %j)",
    async (refreshes, carried) => {
      const { plugin, emulator } = await openPluginStack();
      const id = await createId(emulator.url, { team: "stores", ...carried }, {}, testKey);
      const declared = { imageId, labels: { team: "stores" } };
      const [first, second] = [
        await plugin.import(urn, `${imageId}/${id}`),
        await plugin.import(otherUrn, `${imageId}/${id}`),
      ];
      const { inputs } = await plugin.check(urn, declared, first.inputs);
      const owned = await plugin.update(urn, id, first.properties, inputs);
      const [session] = emulator.sessions();
      expect(session?.labels).toMatchObject({ "pulumi-resource": "web" });

      const known = refreshes ? await plugin.read(otherUrn, id, second.properties, second.inputs ?? {}) : second;
      const { inputs: others } = await plugin.check(otherUrn, declared, known.inputs);
      expect(await plugin.diff(otherUrn, id, known.properties, others)).toMatchObject({ changes: true });
      const { details } = await failureOfCall(plugin.update(otherUrn, id, known.properties, others));
      expect(details).toMatch(/another resource took over the session .* \[AGB409\]$/s);
      await plugin.delete(otherUrn, id, known.properties);
      expect(emulator.sessions()).toEqual([expect.objectContaining({ sessionId: id, labels: session?.labels })]);

      await plugin.delete(urn, id, owned);
      expect(emulator.sessions()).toEqual([]);
    },
  );

  test("is released by a delete that follows the import directly", async () => {
    const { plugin, emulator } = await openPluginStack();
    const id = await createId(emulator.url, {}, {}, testKey);
    const { properties } = await plugin.import(urn, id);
    await plugin.delete(urn, id, properties);
    expect(emulator.sessions()).toEqual([]);
  });
});
