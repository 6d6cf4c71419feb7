import { testKey } from "../support/agb-emulator";
import { createId } from "../support/emulator-requests";
import {
  failureOfCall,
  initFailure,
  providerId,
  readableStrings,
  secretValue,
  stringAsset,
  unknownString,
  urnOf,
} from "../support/plugin-client";
import { createResource, openPluginStack } from "../support/plugin-stack";

// No secret leaves the plugin without its mark. Each test uses this word in every secret, and looks for it everywhere.

const word = "hush4711";
const imageId = "agb-code-space-1";
const urn = urnOf("agb:index:Session", "web");

function expectHidden(...sent: readonly unknown[]): void {
  const shown = sent.flatMap((each) => readableStrings(each));
  expect(shown.length).toBeGreaterThan(0);
  expect(shown.filter((text) => text.includes(word))).toEqual([]);
}

test("of labels: only the secret ones are hidden, in `labels` and `labelsAll`, through a whole life", async () => {
  const { plugin, emulator } = await openPluginStack();
  const labels = { owner: secretValue(`${word} one`), team: "stores" };
  const { id, inputs, outputs } = await createResource(plugin, urn, { imageId, labels });
  expectHidden(inputs, outputs);
  expect(readableStrings([inputs, outputs]).filter((text) => text === "stores")).toHaveLength(4);
  const hidden = { owner: secretValue(`${word} one`) };
  expect(outputs).toMatchObject({ labels: hidden, labelsAll: hidden });
  expect(emulator.sessions()[0]?.labels).toMatchObject({ owner: `${word} one` });

  await emulator.setLabels(id, { ...emulator.sessions()[0]?.labels, owner: "else", copy: `${word} one` });
  const read = await plugin.read(urn, id, outputs, inputs);
  expectHidden(read);
  expect(read.inputs).toMatchObject({ labels: { owner: secretValue("else"), copy: secretValue(`${word} one`) } });
  expectHidden(await plugin.diff(urn, id, read.properties, inputs));
  expectHidden(await plugin.update(urn, id, read.properties, inputs, { preview: true }));
  expectHidden(await plugin.update(urn, id, read.properties, inputs));
  expectHidden([plugin.logged, "nothing else"]);
});

test("of a label whose value is not known yet", async () => {
  const { plugin } = await openPluginStack();
  const { inputs } = await plugin.check(urn, { imageId, labels: { owner: secretValue(unknownString) } });
  const hidden = { owner: secretValue(unknownString) };
  expect(inputs).toMatchObject({ labels: hidden, labelsAll: hidden });
  const preview = await plugin.create(urn, inputs, { preview: true });
  expect(preview.properties).toMatchObject({ labels: hidden, labelsAll: hidden, appInstanceId: unknownString });
});

test("of labels that are secret as a whole", async () => {
  const { plugin } = await openPluginStack();
  const { inputs, outputs } = await createResource(plugin, urn, { imageId, labels: secretValue({ owner: word }) });
  expectHidden(inputs, outputs);
});

test("a label that is no secret any more is readable after the update", async () => {
  const { plugin } = await openPluginStack();
  const { id, outputs } = await createResource(plugin, urn, { imageId, labels: { owner: secretValue("web-team") } });
  const { inputs } = await plugin.check(urn, { imageId, labels: { owner: "web-team" } });
  const updated = await plugin.update(urn, id, outputs, inputs);
  expect(updated).toMatchObject({ labels: { owner: "web-team" }, labelsAll: { owner: "web-team" } });
});

test("a value that becomes a secret is a change, and after the update nothing shows it", async () => {
  const { plugin, emulator } = await openPluginStack();
  const { id, outputs } = await createResource(plugin, urn, { imageId, labels: { owner: word, team: "stores" } });
  const before = emulator.requestCounts();
  const { inputs } = await plugin.check(urn, { imageId, labels: { owner: secretValue(word), team: "stores" } });
  // Without a path, nothing shows the value, and the option `replaceOnChanges` replaces nothing.
  expect(await plugin.diff(urn, id, outputs, inputs)).toMatchObject({ changes: true, diffs: [], replaces: [] });
  expectHidden(await plugin.update(urn, id, outputs, inputs, { preview: true }));
  const updated = await plugin.update(urn, id, outputs, inputs);
  expectHidden(updated);
  expect(await plugin.diff(urn, id, updated, inputs)).toMatchObject({ changes: false });
  expect(emulator.requestCounts()).toEqual(before);
});

test("a setting that becomes a secret is a change of what is made from it", async () => {
  const defaultLabels = JSON.stringify({ owner: word });
  const { plugin } = await openPluginStack({ defaultLabels });
  const { id, outputs } = await createResource(plugin, urn, { imageId });
  await plugin.configure({ defaultLabels: secretValue(defaultLabels) });
  const { inputs } = await plugin.check(urn, { imageId });
  expect(await plugin.diff(urn, id, outputs, inputs)).toMatchObject({ changes: true, replaces: [] });
  const updated = await plugin.update(urn, id, outputs, inputs);
  expectHidden(updated);
  expect(await plugin.diff(urn, id, updated, inputs)).toMatchObject({ changes: false });
});

test("a command does not run again because a value of its became a secret", async () => {
  const { plugin, emulator } = await openPluginStack({}, { allowExec: true });
  const sessionId = await createId(emulator.url, {}, {}, testKey);
  const commandUrn = urnOf("agb:index:Command", "build");
  const declared = { sessionId, create: "echo $RANDOM$$", update: "echo again", environment: { TOKEN: word } };
  const { id, outputs } = await createResource(plugin, commandUrn, declared);
  const { inputs } = await plugin.check(commandUrn, { ...declared, environment: { TOKEN: secretValue(word) } });
  expect(await plugin.diff(commandUrn, id, outputs, inputs)).toMatchObject({ changes: true, replaces: [] });
  const updated = await plugin.update(commandUrn, id, outputs, inputs);
  expectHidden(updated);
  expect(updated["stdout"]).toBe(outputs["stdout"]);
});

test("a file whose content becomes a secret keeps it, also for a resource that reads it", async () => {
  const { plugin, emulator } = await openPluginStack({}, { allowExec: true });
  const sessionId = await createId(emulator.url, {}, {}, testKey);
  const fileUrn = urnOf("agb:index:File", "config");
  const declared = { sessionId, path: "/home/user/config" };
  const { id, outputs } = await createResource(plugin, fileUrn, { ...declared, source: stringAsset(word) });
  const { inputs } = await plugin.check(fileUrn, { ...declared, source: secretValue(stringAsset(word)) });
  // The engine sends what the state holds without the content.
  const { text: _, ...withoutText } = stringAsset(word);
  const state = { ...outputs, source: withoutText };
  expect(await plugin.diff(fileUrn, id, state, inputs)).toMatchObject({ changes: true, replaces: [] });
  const updated = await plugin.update(fileUrn, id, state, inputs);
  expect(updated["source"]).toEqual(secretValue(stringAsset(word)));
});

test("the id of the stack can always be read, because a sweep needs it", async () => {
  const { plugin } = await openPluginStack({ defaultLabels: secretValue(JSON.stringify({ owner: word })) });
  const { id, inputs, outputs } = await createResource(plugin, urn, { imageId, labels: secretValue({ team: word }) });
  const read = await plugin.read(urn, id, outputs, inputs);
  for (const properties of [inputs, outputs, read.inputs, read.properties]) {
    expect(properties).toMatchObject({ stackId: providerId });
  }
});

test("of default labels, also in what is imported and in what functions return", async () => {
  const { plugin, emulator } = await openPluginStack({ defaultLabels: secretValue(JSON.stringify({ owner: word })) });
  const { id, inputs, outputs } = await createResource(plugin, urn, { imageId });
  const read = await plugin.read(urn, id, outputs, inputs);
  expectHidden(inputs, outputs, read);
  const imported = await createId(emulator.url, { owner: word }, {}, testKey);
  expectHidden(await plugin.import(urnOf("agb:index:Session", "other"), imported));
  expectHidden(await plugin.invoke("agb:index:getSession", { sessionId: id }));
  expectHidden(await plugin.invoke("agb:index:getSessions", {}));
});

test("of an argument of a function, in its whole result", async () => {
  const { plugin, emulator } = await openPluginStack();
  await createId(emulator.url, { owner: word }, {}, testKey);
  const found = await plugin.invoke("agb:index:getSessions", { labels: secretValue({ owner: word }) });
  expectHidden(found);
  expect(found["sessionIds"]).toEqual(secretValue([expect.any(String)]));
});

test("of a link, which is always secret", async () => {
  const { plugin, emulator } = await openPluginStack();
  const sessionId = await createId(emulator.url, {}, {}, testKey);
  const link = await plugin.invoke("agb:index:getSessionLink", { sessionId, port: 30100 });
  expect(link).toEqual({ sessionId, url: secretValue(expect.stringMatching(/^http/)) });
});

test("of settings: the key always, others where the user says so", async () => {
  const { plugin } = await openPluginStack();
  const { inputs } = await plugin.checkConfig({ apiKey: word, defaultLabels: secretValue(`{"owner":"${word}"}`) });
  expectHidden(inputs);
});

test("of a command that fails: what the state keeps of it, and the error", async () => {
  const { plugin, emulator } = await openPluginStack({}, { allowExec: true });
  const sessionId = await createId(emulator.url, {}, {}, testKey);
  const commandUrn = urnOf("agb:index:Command", "build");
  const { inputs } = await plugin.check(commandUrn, {
    sessionId,
    create: 'echo "$TOKEN"; cat; exit 3',
    environment: { TOKEN: secretValue(word) },
    stdin: secretValue(word),
    logging: "none",
  });
  const failure = await failureOfCall(plugin.create(commandUrn, inputs));
  const left = initFailure(failure);
  expect(left).toMatchObject({
    type: "pulumirpc.ErrorResourceInitFailed",
    id: expect.any(String),
    properties: { sessionId, environment: { TOKEN: secretValue(word) }, stdin: secretValue(word) },
    reasons: [expect.stringContaining("[AGB901]")],
  });
  expectHidden(inputs, left, failure.details, plugin.logged);

  // The next update finishes it, and the output that repeats a secret is one too.
  const fixed = await plugin.check(commandUrn, {
    sessionId,
    create: 'echo "is $TOKEN."',
    environment: { TOKEN: secretValue(word) },
    logging: "none",
  });
  const updated = await plugin.update(commandUrn, left.id, left.properties, fixed.inputs);
  expectHidden(updated);
  expect(updated).toMatchObject({ stdout: secretValue(`is ${word}.`), exitCode: 0 });
});

test("of a command that is sensitive: its output", async () => {
  const { plugin, emulator } = await openPluginStack({}, { allowExec: true });
  const sessionId = await createId(emulator.url, {}, {}, testKey);
  const { outputs } = await createResource(plugin, urnOf("agb:index:Command", "build"), {
    sessionId,
    create: `echo ${word.slice(0, 4)}${word.slice(4)} >&2; echo out`,
    sensitive: true,
  });
  expect(outputs).toMatchObject({ stdout: secretValue("out"), stderr: secretValue(word) });
});

test("of a file: its content and the hash of it, and the asset stays one", async () => {
  const { plugin, emulator } = await openPluginStack({}, { allowExec: true });
  const sessionId = await createId(emulator.url, {}, {}, testKey);
  const fileUrn = urnOf("agb:index:File", "config");
  const source = secretValue(stringAsset(word));
  const { id, inputs, outputs } = await createResource(plugin, fileUrn, { sessionId, source, path: "/tmp/x/config" });
  expect(inputs).toMatchObject({ source, contentHash: secretValue(expect.stringMatching(/^[0-9a-f]{64}$/)) });
  expectHidden(inputs, outputs);
  // The engine leaves out the content of assets here.
  const elided = { ...outputs, source: secretValue(stringAsset("")) };
  const read = await plugin.read(fileUrn, id, elided, { ...inputs, source: secretValue(stringAsset("")) });
  expectHidden(read);
  expect(read.properties).toMatchObject({ source: elided.source, contentHash: outputs["contentHash"] });
  expect(await plugin.diff(fileUrn, id, read.properties, inputs)).toMatchObject({ changes: false });
  await plugin.delete(fileUrn, id, read.properties);
});
