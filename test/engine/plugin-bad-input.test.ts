// Settings, programs and states that do not fit the plugin, with the real engine.

import "../support/await-pulumi-cli";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { usePlugin } from "../support/plugin-file";
import { pluginSessions } from "../support/plugin-program";
import { createPulumiProject, type PulumiProject } from "../support/pulumi-project";
import { changesIn, type ResourceState, sessionIdsOf, sessionsOf } from "../support/stack-state";

jest.setTimeout(600_000);

const web = { imageId: "agb-code-space-1", labels: { team: "stores" } };
const program = (sessions: Record<string, object>) => pluginSessions(sessions)["index.js"] ?? "";

async function openProject(environment: Record<string, string>): Promise<PulumiProject> {
  const project = closeAfterTest(await createPulumiProject({ files: pluginSessions({ web }), environment }));
  await usePlugin(project);
  return project;
}

/** Runs a command that fails. @returns the errors that Pulumi lists at its end, without its prefixes */
async function errorsOf(project: PulumiProject, ...parameters: string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await project.run(...parameters);
  expect(exitCode).not.toBe(0);
  const [, listed = ""] = `${stdout}${stderr}`.split("Diagnostics:");
  expect(listed).not.toMatch(/node_modules|\n\s+at /);
  return [...listed.matchAll(/^ +error: (?:\S+ resource '[^']*' has a problem: )?(.*)$/gm)].map(
    ([, text = ""]) => text,
  );
}

test("without a key, or with settings that cannot be used, there is one error that names the setting", async () => {
  const emulator = await startTestEmulator();
  // Without a key nothing is sent, so the missing endpoint is no problem.
  const project = await openProject({});
  const key = expect.stringMatching(
    /^No AGB API key\. Set one with `pulumi config set --secret agb:apiKey`, in the environment variable AGB_API_KEY, .*\[AGB201\]$/,
  );
  expect(await errorsOf(project, "preview")).toEqual([key]);
  expect(await errorsOf(project, "up", "--yes", "--skip-preview")).toEqual([key]);

  Object.assign(project.environment, { AGB_API_KEY: testKey, AGB_ENDPOINT: "ftp://agb.example" });
  expect(await errorsOf(project, "preview")).toEqual([
    expect.stringMatching(/^AGB_ENDPOINT cannot be used: the scheme "ftp" is not http or https \[AGB204\]$/),
  ]);
  Object.assign(project.environment, { AGB_ENDPOINT: emulator.url });
  await project.configure({ "agb:endpont": emulator.url });
  expect(await errorsOf(project, "preview")).toEqual([
    expect.stringMatching(/^endpont: unknown setting; the provider has apiKey, endpoint, .* \[AGB209\]$/),
  ]);

  expect(sessionIdsOf(await project.exportState())).toEqual({});
  expect(emulator.requests()).toEqual([]);
});

test("what a program for another version says is named, and nothing is created, changed or released", async () => {
  const emulator = await startTestEmulator();
  const project = await openProject({ AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
  const newer = program({
    web,
    worker: { ...web, gpu: 1, imagId: "x", contextSyncs: [{ contxtId: "c", path: "/x" }] },
  });
  const unknown = [
    expect.stringMatching(/^contextSyncs\[0\]\.contxtId: .* \[AGB101\]$/),
    expect.stringMatching(/^gpu: unknown property; \S+ has imageId, labels, .* \[AGB101\]$/),
    "imagId: unknown property; did you mean imageId? [AGB101]",
  ];
  const unknownType = program({ web, worker: web }).replace(
    "new Session(name, args)",
    'new (name === "worker" ? declare("Sandbox") : Session)(name, args)',
  );
  const noSuchType = expect.stringMatching(
    /^unknown resource type "agb:index:Sandbox": .*agb:index:Session.* \[AGB121\]$/,
  );

  await project.write("index.js", newer);
  // The sound session beside it is not created either.
  expect((await errorsOf(project, "up", "--yes")).sort()).toEqual(unknown);
  await project.write("index.js", unknownType);
  expect(await errorsOf(project, "up", "--yes")).toEqual([noSuchType]);
  expect(emulator.requestCounts()).not.toHaveProperty("createSession");

  // A program that is edited for another version keeps what is there.
  await project.write("index.js", program({ web }));
  await project.up();
  const [session] = emulator.sessions();
  await project.write("index.js", program({ web: { ...web, imageId: "agb-code-space-2", gpu: 1 } }));
  expect(await errorsOf(project, "up", "--yes")).toEqual([unknown[1]]);
  expect(emulator.sessions()).toEqual([
    expect.objectContaining({ sessionId: session?.sessionId, labels: session?.labels }),
  ]);
});

// What a version may write and an older one may not have. Without `service`, a session is one of AGB's default endpoint.
const added = [["stackId"], ["appInstanceId", "resourceId"], ["labelsAll"]];

test("a state that lacks properties of this version is completed in place, and keeps the session", async () => {
  const emulator = await startTestEmulator();
  const project = await openProject({ AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
  await project.up();
  const [session] = emulator.sessions();
  const complete = sessionsOf(await project.exportState())["web"];

  for (const lacking of [...added, added.flat()]) {
    const state = await project.exportState();
    const older = (resource: ResourceState) => {
      const without = (properties: Record<string, unknown> = {}) =>
        Object.fromEntries(Object.entries(properties).filter(([name]) => !lacking.includes(name)));
      return resource.type !== "agb:index:Session"
        ? resource
        : { ...resource, inputs: without(resource.inputs), outputs: without(resource.outputs) };
    };
    const resources = state.deployment.resources?.map(older);
    const file = join(project.root, "older.json");
    await writeFile(file, JSON.stringify({ ...state, deployment: { ...state.deployment, resources } }));
    await project.succeed("stack", "import", "--file", file);

    await project.up();
    expect(emulator.sessions()).toMatchObject([{ sessionId: session?.sessionId, labels: session?.labels }]);
    const { inputs, outputs } = sessionsOf(await project.exportState())["web"] ?? {};
    expect({ lacking, inputs, outputs }).toEqual({ lacking, inputs: complete?.inputs, outputs: complete?.outputs });
    expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 2 });
  }
});
