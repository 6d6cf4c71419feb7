// Two teams, one AGB account: each has a stack with the same project and stack name in a backend of its own. The tests build
// on each other, because engine runs are slow.

import { type Emulator, startEmulator } from "../../provider/emulator";
import { newCreateToken } from "../../provider/lifecycle/ownership";
import "../support/await-pulumi-cli";
import { testKey } from "../support/agb-emulator";
import { createId } from "../support/emulator-requests";
import { createPulumiProject, javascriptFiles, type PulumiProject } from "../support/pulumi-project";
import { changesIn, resourceTexts, sessionIdsOf } from "../support/stack-state";

jest.setTimeout(600_000);

/** A session named "web", in a component with these options. */
const program = (options: object = {}) => `
  const pulumi = require("@pulumi/pulumi");
  const { AgbSession } = require("pulumi-agb");
  const parent = new pulumi.ComponentResource("shop:index:Group", "group", {}, ${JSON.stringify(options)});
  new AgbSession("web", { imageId: "agb-code-space-1", labels: { team: "web" } }, { parent });
`;

let emulator: Emulator;
let ours: PulumiProject;
let theirs: PulumiProject;
let theirSession: string;

function labelsOf(sessionId: string): Readonly<Record<string, string>> {
  return emulator.sessions().find((session) => session.sessionId === sessionId)?.labels ?? {};
}

function running(): string[] {
  return emulator.sessions().map(({ sessionId }) => sessionId);
}

async function sessionOf(project: PulumiProject): Promise<string> {
  return sessionIdsOf(await project.exportState())["web"] ?? "";
}

async function stackIdIn(project: PulumiProject): Promise<string | undefined> {
  const { resources = [] } = (await project.exportState()).deployment;
  return resources.find(({ type }) => type.endsWith(":AgbStackIdentity"))?.id;
}

/** A session such as a killed run of the stack leaves behind: with its labels, in no state. */
function leaveOrphan(sessionId: string): Promise<string> {
  const anHourAgo = newCreateToken(new Date(Date.now() - 3_600_000));
  return createId(emulator.url, { ...labelsOf(sessionId), "pulumi-create": anHourAgo }, {}, testKey);
}

async function sweep(stack: string) {
  return (await ours.startJob(["sweep", "--yes", "--older-than", "0s", "--stack", stack])).result;
}

beforeAll(async () => {
  emulator = await startEmulator({ apiKeys: [testKey], releaseDelayMs: 50 });
  const options = {
    files: javascriptFiles(program()),
    environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
  };
  [ours, theirs] = await Promise.all([createPulumiProject(options), createPulumiProject(options)]);
}, 600_000);

afterAll(async () => {
  await Promise.all([ours?.close(), theirs?.close()]);
  await emulator?.close();
});

test("the first preview knows no id yet and creates no session", async () => {
  const { stdout } = await ours.succeed("preview", "--diff");
  expect(stdout).toContain("pulumi-stack-id");
  expect(emulator.requestCounts()["createSession"]).toBeUndefined();
});

test("each stack gets an id of its own, which its sessions carry and which does not change", async () => {
  await ours.up();
  await theirs.up();
  theirSession = await sessionOf(theirs);
  const [ourId, theirId] = [await stackIdIn(ours), await stackIdIn(theirs)];
  expect(ourId).toMatch(/^[0-9a-f]{16}$/);
  expect(theirId).not.toBe(ourId);
  expect(labelsOf(await sessionOf(ours))["pulumi-stack-id"]).toBe(ourId);
  expect(labelsOf(theirSession)["pulumi-stack-id"]).toBe(theirId);

  const before = resourceTexts(await ours.exportState());
  const { stdout } = await ours.up();
  expect(changesIn(stdout)).toEqual({ unchanged: 4 });
  expect(resourceTexts(await ours.exportState())).toEqual(before);
});

test("a sweep releases this stack's orphan and nothing of the other stack, orphans included", async () => {
  const theirOrphan = await leaveOrphan(theirSession);
  const orphan = await leaveOrphan(await sessionOf(ours));
  const { exitCode, stdout } = await sweep("test");
  expect(stdout).toContain(`released: ${orphan}`);
  expect(stdout).toMatch(new RegExp(`^foreign: ${theirSession} `, "m"));
  expect(stdout).toMatch(new RegExp(`^foreign: ${theirOrphan} `, "m"));
  expect(exitCode).toBe(0);
  expect(running().sort()).toEqual([await sessionOf(ours), theirSession, theirOrphan].sort());
});

test("a renamed stack keeps its id: labels follow in place, and orphans of the former name are found", async () => {
  const session = await sessionOf(ours);
  const [orphan, stackId] = [await leaveOrphan(session), await stackIdIn(ours)];
  await ours.succeed("stack", "rename", "renamed");
  const { stdout } = await ours.up();
  expect(changesIn(stdout)).toEqual({ updated: 1, unchanged: 3 });
  expect(await sessionOf(ours)).toBe(session);
  expect(labelsOf(session)).toMatchObject({ "pulumi-stack": "renamed", "pulumi-stack-id": stackId });
  expect((await sweep("renamed")).stdout).toContain(`released: ${orphan}`);
  expect(running()).toContain(theirSession);
});

test("a session that inherits retainOnDelete says so in its labels and outlives its resource and the sweep", async () => {
  const session = await sessionOf(ours);
  await ours.write("index.js", program({ retainOnDelete: true }));
  expect(changesIn((await ours.up()).stdout)).toMatchObject({ updated: 1 });
  expect(await sessionOf(ours)).toBe(session);
  expect(labelsOf(session)["pulumi-retain"]).toBe("true");

  await ours.write("index.js", 'require("pulumi-agb");');
  await ours.up();
  const { exitCode, stdout } = await sweep("renamed");
  expect(running()).toContain(session);
  expect(stdout).toMatch(new RegExp(`^retained: ${session} `, "m"));
  expect(exitCode).toBe(0);
});

test("a run that leaves the identity out creates nothing and says what to do", async () => {
  await ours.succeed("stack", "init", "fresh");
  await ours.write("index.js", 'new (require("pulumi-agb").AgbSession)("web", { imageId: "agb-code-space-1" });');
  const before = running();
  const target = "urn:pulumi:fresh::engine-test::pulumi-nodejs:dynamic/agb:AgbSession::web";
  const { exitCode, stdout, stderr } = await ours.run("up", "--yes", "--skip-preview", "--target", target);
  expect(exitCode).not.toBe(0);
  expect(`${stdout}${stderr}`).toContain("add `--target '**AgbStackIdentity::agb'`");
  expect(running()).toEqual(before);
});
