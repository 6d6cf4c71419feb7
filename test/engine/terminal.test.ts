// A user at the terminal works with the sessions of a stack: lists them, runs commands, releases one. The tests build on each
// other, because engine runs are slow. Key and endpoint are only in the stack's configuration.

import { type Emulator, startEmulator } from "../../provider/emulator";
import "../support/await-pulumi-cli";
import { testKey } from "../support/agb-emulator";
import { createId } from "../support/emulator-requests";
import { createPulumiProject, javascriptFiles, type PulumiProject, stackName } from "../support/pulumi-project";
import { changesIn, sessionIdsOf } from "../support/stack-state";

jest.setTimeout(600_000);

const program = `
  const pulumi = require("@pulumi/pulumi");
  const { AgbSession } = require("pulumi-agb");
  const token = pulumi.secret("s3cret-label");
  new AgbSession("web", { imageId: "agb-code-space-1", labels: { team: "web", token } });
  new AgbSession("worker", { imageId: "agb-code-space-1", labels: { team: "jobs" } });
`;

let emulator: Emulator;
let project: PulumiProject;
let web: string;
let worker: string;

/** Runs the command in the project's folder. */
async function agb(...parameters: string[]) {
  return (await project.startJob(parameters, {}, project.directory)).result;
}

const ofStack = ["--stack", stackName] as const;

beforeAll(async () => {
  emulator = await startEmulator({ apiKeys: [testKey], releaseDelayMs: 50, allowExec: true });
  project = await createPulumiProject({ files: javascriptFiles(program) });
  await project.configure({ "agb:apiKey": { secret: testKey }, "agb:endpoint": emulator.url });
  await project.up();
  const ids = sessionIdsOf(await project.exportState());
  [web, worker] = [ids["web"] ?? "", ids["worker"] ?? ""];
}, 600_000);

afterAll(async () => {
  await project?.close();
  await emulator?.close();
});

test("sessions list shows the stack's sessions only, with its key and endpoint, and no secret label", async () => {
  const labels = emulator.sessions().find(({ sessionId }) => sessionId === web)?.labels ?? {};
  const foreign = { ...labels, "pulumi-stack-id": "fedcba9876543210" };
  await createId(emulator.url, foreign, {}, testKey);
  const { exitCode, stdout, stderr } = await agb("sessions", "list", ...ofStack, "--output", "json");
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const listed = JSON.parse(stdout) as { sessionId: string; owner: { resource: string }; labels: object }[];
  expect(listed.map(({ sessionId, owner }) => [owner.resource, sessionId]).sort()).toEqual([
    ["web", web],
    ["worker", worker],
  ]);
  expect(listed.find(({ sessionId }) => sessionId === web)?.labels).toMatchObject({ team: "web", token: "[secret]" });
  expect(stdout).not.toContain("s3cret");
});

test("exec runs a command in the session of a resource", async () => {
  const exec = (...words: string[]) => agb("sessions", "exec", ...ofStack, "--resource", "web", "--", ...words);
  expect(await exec("sh", "-c", "echo hello > note; echo written; exit 3")).toEqual({
    exitCode: 3,
    stdout: "written\n",
    stderr: "",
  });
  expect((await exec("cat", "note")).stdout).toBe("hello\n");
});

test("after a release the next up recreates the session, and exec finds the new one", async () => {
  const { exitCode, stdout, stderr } = await agb("sessions", "release", ...ofStack, "--resource", "web", "--yes");
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `released: ${web}\n` });
  expect(stderr).toContain(`${web} belonged to web of the stack engine-test/${stackName}.`);
  const exec = () => agb("sessions", "exec", ...ofStack, "--resource", "web", "--", "sh", "-c", "ls note || echo new");
  expect((await exec()).stderr).toContain(`No session matches --stack ${stackName} --resource web.`);

  expect(changesIn((await project.up()).stdout)).toMatchObject({ created: 1 });
  const created = sessionIdsOf(await project.exportState())["web"];
  expect(created).not.toBe(web);
  expect(await exec()).toMatchObject({ exitCode: 0, stdout: "new\n" });
  const { stdout: shown } = await agb("sessions", "show", ...ofStack, "--resource", "web");
  expect(shown).toContain(`Session id:   ${created}\n`);
});

test("without --stack the key of the stack is not used, and the message says how to use it", async () => {
  const { exitCode, stderr } = await agb("sessions", "list");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("To use the settings of a stack, add --stack NAME. [AGB201]");
});
