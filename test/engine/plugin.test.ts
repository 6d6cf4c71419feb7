import "../support/await-pulumi-cli";
import { newCreateToken } from "../../provider/lifecycle/ownership";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { createId } from "../support/emulator-requests";
import { usePlugin } from "../support/plugin-file";
import { createPulumiProject, javascriptFiles, type PulumiProject } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

// The real engine with the built plugin, and a program that knows its types by their names alone.

jest.setTimeout(600_000);

const word = "hush4711";

function program(labels: Record<string, string>, more = ""): Record<string, string> {
  return javascriptFiles(`
    const pulumi = require("@pulumi/pulumi");
    class Session extends pulumi.CustomResource {
      constructor(name, args, opts) {
        super("agb:index:Session", name, { appInstanceId: undefined, labelsAll: undefined, ...args }, opts);
      }
    }
    const web = new Session("web", {
      imageId: "agb-code-space-1",
      labels: { ...${JSON.stringify(labels)}, token: pulumi.secret("${word}") },
    });
    exports.sessionId = web.id;
    exports.labelsAll = web.labelsAll;
    ${more}
  `);
}

async function openProject(emulatorUrl: string): Promise<PulumiProject> {
  const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: emulatorUrl };
  const project = closeAfterTest(await createPulumiProject({ files: program({ team: "stores" }), environment }));
  await usePlugin(project);
  return project;
}

test("up, nothing to do, label edit, drift, release, destroy", async () => {
  const emulator = await startTestEmulator();
  const project = await openProject(emulator.url);

  const preview = await project.succeed("preview", "--diff");
  expect(preview.stdout).toMatch(/team *: "stores"/);
  expect(emulator.sessions()).toEqual([]);
  expect(changesIn((await project.up()).stdout)).toEqual({ created: 2 });
  const [session] = emulator.sessions();
  expect(session?.labels).toMatchObject({
    team: "stores",
    token: word,
    "pulumi-project": "engine-test",
    "pulumi-stack": "test",
    "pulumi-resource": "web",
  });
  expect((await project.outputs())["sessionId"]).toBe(session?.sessionId);

  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 2 });
  await project.succeed("preview", "--expect-no-changes");

  // The preview names exactly the label that differs.
  await project.write("index.js", program({ team: "web-shop" })["index.js"] ?? "");
  const edited = (await project.succeed("preview", "--diff")).stdout;
  expect(edited).toMatch(/~ labels\s*: \{\s+~ team: "stores" => "web-shop"\s+\}/);
  expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, unchanged: 1 });
  expect(emulator.sessions()[0]?.labels).toMatchObject({ team: "web-shop", token: word });

  await emulator.setLabels(session?.sessionId ?? "", { ...emulator.sessions()[0]?.labels, team: "drift" });
  expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, unchanged: 1 });
  expect(emulator.sessions()[0]?.labels).toMatchObject({ team: "web-shop" });

  await emulator.release(session?.sessionId ?? "");
  expect(changesIn((await project.up()).stdout)).toEqual({ created: 1, unchanged: 1 });
  expect(emulator.sessions()).toHaveLength(1);

  const state = JSON.stringify(await project.exportState());
  expect(state).toContain("web-shop");
  expect(state).not.toContain(word);
  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
  expect(project.transcript()).not.toContain(word);
});

test("a sweep leaves the sessions of plugin stacks and releases what a killed run left behind", async () => {
  const emulator = await startTestEmulator();
  const [ours, theirs] = await Promise.all([openProject(emulator.url), openProject(emulator.url)]);
  await ours.up();
  const [ourSession] = emulator.sessions();
  await theirs.up();
  const live = emulator.sessions();
  const anHourAgo = newCreateToken(new Date(Date.now() - 3_600_000));
  const leave = (labels: object = {}) => createId(emulator.url, { ...labels, "pulumi-create": anHourAgo }, {}, testKey);
  const orphan = await leave(ourSession?.labels);
  const theirOrphan = await leave(live.find(({ sessionId }) => sessionId !== ourSession?.sessionId)?.labels);

  const parameters = ["sweep", "--yes", "--older-than", "0s", "--stack", "test"];
  const { exitCode, stdout } = await (await ours.startJob(parameters)).result;
  expect(stdout).toContain(`released: ${orphan}`);
  expect(stdout).toMatch(new RegExp(`^foreign: ${theirOrphan} `, "m"));
  expect(exitCode).toBe(0);
  const left = emulator.sessions().map(({ sessionId }) => sessionId);
  expect(left.sort()).toEqual([...live.map(({ sessionId }) => sessionId), theirOrphan].sort());
});

test("a stack moves from the dynamic resource to the plugin and back, and keeps its session", async () => {
  const emulator = await startTestEmulator();
  const project = await openProject(emulator.url);
  const native = program({ team: "stores" })["index.js"] ?? "";
  const dynamic = (options: string) => `
    const pulumi = require("@pulumi/pulumi");
    const { AgbSession } = require("pulumi-agb");
    const labels = { team: "stores", token: pulumi.secret("${word}") };
    exports.sessionId = new AgbSession("web", { imageId: "agb-code-space-1", labels }, ${options}).sessionId;
  `;
  await project.write("index.js", dynamic("{}"));
  await project.up();
  const [session] = emulator.sessions();

  const aliased = native.replace("opts);", '{ aliases: [{ type: "pulumi-nodejs:dynamic/agb:AgbSession" }] });');
  await project.write("index.js", aliased);
  // The session gets the id of its new stack, in place.
  expect(changesIn((await project.up()).stdout)).toEqual({ deleted: 1, updated: 1, unchanged: 1 });
  expect(emulator.sessions()).toMatchObject([{ sessionId: session?.sessionId }]);
  const [moved] = emulator.sessions();
  const { "pulumi-stack-id": former, ...others } = session?.labels ?? {};
  const provider = (await project.exportState()).deployment.resources?.find(
    ({ type }) => type === "pulumi:providers:agb",
  );
  expect(moved?.labels).toEqual({ ...others, "pulumi-stack-id": provider?.id });
  expect(provider?.id).not.toBe(former);
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 2 });
  const state = JSON.stringify(await project.exportState());
  expect(state).not.toContain("AgbSession::web");
  expect(state).not.toContain(word);

  // The id of the stack is a new one.
  await project.write("index.js", dynamic('{ aliases: [{ type: "agb:index:Session" }] }'));
  expect(changesIn((await project.up("--refresh=false")).stdout)).toEqual({ created: 1, updated: 1, unchanged: 1 });
  expect(emulator.sessions()).toMatchObject([{ sessionId: session?.sessionId, labels: { team: "stores" } }]);
  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
});

test("the option import takes a session over by its id alone", async () => {
  const emulator = await startTestEmulator();
  const project = await openProject(emulator.url);
  const id = await createId(emulator.url, { team: "stores", token: word }, {}, testKey);
  const imported = (program({ team: "stores" })["index.js"] ?? "").replace("opts);", `{ import: "${id}" });`);
  await project.write("index.js", imported);
  // The same run imports it and sets the labels of the owner.
  expect(changesIn((await project.up()).stdout)).toEqual({ created: 1, updated: 1 });
  expect(emulator.sessions()).toMatchObject([{ sessionId: id, labels: { "pulumi-resource": "web" } }]);
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 2 });
});

test("an import by IMAGE/ID is managed from then on", async () => {
  const emulator = await startTestEmulator();
  const project = await openProject(emulator.url);
  const id = await createId(emulator.url, { team: "stores", token: word }, {}, testKey);
  await project.succeed(
    "import",
    "agb:index:Session",
    "web",
    `agb-code-space-1/${id}`,
    "--yes",
    "--protect=false",
    "--generate-code=false",
  );
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 1, updated: 1 });
  expect(emulator.sessions()).toMatchObject([{ sessionId: id, labels: { "pulumi-resource": "web" } }]);
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 2 });
});
