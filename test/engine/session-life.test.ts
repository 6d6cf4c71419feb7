// The life of one stack, from the first `up` to `destroy`. The tests build on each other, because engine runs are slow.
// The API key comes from the environment.

import { type Emulator, startEmulator } from "../../provider/emulator";
import "../support/await-pulumi-cli";
import { testKey } from "../support/agb-emulator";
import { createPulumiProject, javascriptFiles, type PulumiProject, readTextsBelow } from "../support/pulumi-project";
import { changesIn, resourceTexts, sessionIdsOf, sessionsOf } from "../support/stack-state";

jest.setTimeout(600_000);

const ownKeys = ["pulumi-create", "pulumi-project", "pulumi-resource", "pulumi-stack", "pulumi-stack-id"];
const firstLabels = { project: "shop", environment: "test", team: "storefront" };
const secondLabels = { project: "shop", environment: "test", team: "search", topic: "relevance" };

/** Two sessions. The tests change "web"; "worker" must stay as it is. */
function program(web: { imageId: string; labels?: Record<string, string> }): string {
  return `
    const pulumi = require("@pulumi/pulumi");
    const { AgbSession } = require("pulumi-agb");
    const web = new AgbSession("web", ${JSON.stringify(web)});
    const worker = new AgbSession("worker", { imageId: "agb-code-space-1", labels: { project: "shop" } });
    exports.sessionIds = { web: web.sessionId, worker: worker.sessionId };
    exports.labels = web.labels;
    exports.labelsAll = web.labelsAll;
    exports.undeclared = pulumi.all([web.idleTimeoutSeconds, web.policyId]).apply((values) => values.map(String));
  `;
}

let emulator: Emulator;
let project: PulumiProject;
let ids: { web: string; worker: string };

/** The emulator's session of a resource. */
function session(name: "web" | "worker") {
  const found = emulator.sessions().find(({ sessionId }) => sessionId === ids[name]);
  if (found === undefined) {
    throw new Error(`the emulator has no session ${name}`);
  }
  return found;
}

function operationsSince(start: number): string[] {
  return emulator
    .requests()
    .slice(start)
    .map(({ operation }) => operation);
}

beforeAll(async () => {
  emulator = await startEmulator({ apiKeys: [testKey], releaseDelayMs: 100 });
  project = await createPulumiProject({
    files: javascriptFiles(program({ imageId: "agb-code-space-1", labels: firstLabels })),
    environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
  });
}, 600_000);

afterAll(async () => {
  await project?.close();
  await emulator?.close();
});

test("the first up creates each session with one call and outputs ids and labels", async () => {
  const { stdout } = await project.up();
  expect(changesIn(stdout)).toEqual({ created: 4 });
  expect(emulator.requestCounts()).toEqual({ ListSession: 1, createSession: 2 });

  const outputs = await project.outputs();
  ids = outputs["sessionIds"];
  expect(new Set(Object.values(ids))).toEqual(new Set(emulator.sessions().map(({ sessionId }) => sessionId)));
  expect(outputs["labels"]).toEqual(firstLabels);
  expect(outputs["labelsAll"]).toEqual(session("web").labels);
  expect(session("web").labels).toEqual({
    ...firstLabels,
    "pulumi-project": "engine-test",
    "pulumi-stack": "test",
    "pulumi-stack-id": expect.stringMatching(/^[0-9a-f]{16}$/),
    "pulumi-resource": "web",
    "pulumi-create": expect.stringMatching(/^\d{8}T\d{6}Z-[0-9a-f]{12}$/),
  });
});

test("the state refers to the provider in at most 200 characters and holds only declared or stable values", async () => {
  const sessions = Object.values(sessionsOf(await project.exportState()));
  expect(sessions).toHaveLength(2);
  for (const { inputs, outputs } of sessions) {
    expect(inputs?.["__provider"].length).toBeLessThanOrEqual(200);
    expect(outputs?.["__provider"]).toBe(inputs?.["__provider"]);
    expect(Object.keys(outputs ?? {}).sort()).toEqual(
      ["__provider", "appInstanceId", "imageId", "labels", "labelsAll", "resourceId", "service"].sort(),
    );
  }
});

test("a second up only reads and changes nothing, and preview agrees", async () => {
  const start = emulator.requests().length;
  const { stdout } = await project.up();
  expect(changesIn(stdout)).toEqual({ unchanged: 4 });
  expect(operationsSince(start).sort()).toEqual([
    "GetLabel",
    "GetLabel",
    "ListSession",
    "getMcpResource",
    "getMcpResource",
  ]);

  await project.succeed("preview", "--expect-no-changes");
  expect(await project.outputs()).toHaveProperty("sessionIds", ids);
});

test("labels changed in the program are updated in place, and the session stays", async () => {
  await project.write("index.js", program({ imageId: "agb-code-space-1", labels: secondLabels }));
  const createLabel = session("web").labels["pulumi-create"];
  const { stdout } = await project.up();
  expect(changesIn(stdout)).toEqual({ updated: 1, unchanged: 3 });

  const { labelsAll, sessionIds } = await project.outputs();
  expect(sessionIds).toEqual(ids);
  expect(session("web").labels).toEqual(labelsAll);
  expect(labelsAll).toMatchObject({ ...secondLabels, "pulumi-create": createLabel });
  expect(Object.keys(labelsAll).sort()).toEqual([...ownKeys, ...Object.keys(secondLabels)].sort());
});

test("another image replaces the session: the new one is created before the old one is released", async () => {
  await project.write("index.js", program({ imageId: "agb-code-space-2", labels: secondLabels }));
  const start = emulator.requests().length;
  const { stdout } = await project.up();
  expect(changesIn(stdout)).toEqual({ replaced: 1, unchanged: 3 });

  const { sessionIds } = await project.outputs();
  expect(sessionIds.web).not.toBe(ids.web);
  expect(sessionIds.worker).toBe(ids.worker);
  const operations = operationsSince(start);
  expect(operations.indexOf("createSession")).toBeLessThan(operations.indexOf("releaseSessionAsync"));
  ids = sessionIds;
  expect(emulator.sessions()).toHaveLength(2);
  expect(session("web")).toMatchObject({ imageId: "agb-code-space-2", labels: secondLabels });
});

test("preview shows labels that were changed behind Pulumi's back", async () => {
  const { environment: _, ...kept } = session("web").labels;
  await emulator.setLabels(ids.web, { ...kept, team: "stranger", intruder: "yes" });
  const { "pulumi-create": __, ...workerKept } = session("worker").labels;
  await emulator.setLabels(ids.worker, workerKept);

  const { stdout } = await project.succeed("preview", "--diff");
  expect(stdout).toMatch(/team *: "stranger" => "search"/);
  expect(stdout).toMatch(/- intruder *: "yes"/);
  expect(stdout).toMatch(/\+ environment *: "test"/);
  expect(stdout).toMatch(/2 to update/);

  const expectation = await project.run("preview", "--expect-no-changes");
  expect(expectation.exitCode).not.toBe(0);
});

test("one up restores them, and a removed ownership label", async () => {
  const { stdout } = await project.up();
  expect(changesIn(stdout)).toEqual({ updated: 2, unchanged: 2 });
  expect(session("web").labels).toMatchObject(secondLabels);
  expect(session("web").labels).not.toHaveProperty("intruder");
  expect(Object.keys(session("worker").labels).sort()).toEqual(["project", ...ownKeys].sort());
  expect(await project.outputs()).toMatchObject({ sessionIds: ids, labels: secondLabels });
});

test("one up recreates sessions that were released behind Pulumi's back", async () => {
  await emulator.release(ids.web);
  const { stdout } = await project.up();
  expect(changesIn(stdout)).toMatchObject({ created: 1, unchanged: 3 });

  const { sessionIds } = await project.outputs();
  expect(sessionIds.web).not.toBe(ids.web);
  expect(sessionIds.worker).toBe(ids.worker);
  ids = sessionIds;
  expect(emulator.sessions()).toHaveLength(2);
  expect(session("web").labels).toMatchObject(secondLabels);
});

test("a refresh of an untouched stack changes no byte of its resources", async () => {
  const before = resourceTexts(await project.exportState());
  const { stdout } = await project.refresh();
  expect(changesIn(stdout)).toEqual({ unchanged: 4 });
  // Whole resources, with the engine's `created` and `modified`. Elsewhere in the state is the time of the run.
  expect(resourceTexts(await project.exportState())).toEqual(before);
});

test("all labels can be removed: the session stays and keeps only the provider's own", async () => {
  await project.write("index.js", program({ imageId: "agb-code-space-2" }));
  const { stdout } = await project.up();
  expect(changesIn(stdout)).toEqual({ updated: 1, unchanged: 3 });
  expect(Object.keys(session("web").labels).sort()).toEqual(ownKeys);
  expect(await project.outputs()).toMatchObject({
    sessionIds: ids,
    labels: {},
    undeclared: ["undefined", "undefined"],
  });
});

test("destroy releases every session and empties the stack", async () => {
  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
  expect(sessionIdsOf(await project.exportState())).toEqual({});
});

test("the key from the environment appears in no file and in no output", async () => {
  const texts = await readTextsBelow(project.root);
  expect(texts.size).toBeGreaterThan(10);
  expect([...texts].filter(([, text]) => text.includes(testKey)).map(([path]) => path)).toEqual([]);
  expect(project.transcript()).not.toContain(testKey);
});
