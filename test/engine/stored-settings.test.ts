import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { createPulumiProject, javascriptFiles, type PulumiProject } from "../support/pulumi-project";
import { deadAddress } from "../support/scripted-server";
import { changesIn, sessionIdsOf } from "../support/stack-state";

jest.setTimeout(600_000);

// Pulumi keeps the settings of the last run in the state, and uses them for refresh and destroy.

const program = `
  const { AgbSession } = require("pulumi-agb");
  new AgbSession("web", { imageId: "agb-code-space-1", labels: { team: "storefront" } });
`;
const fix = "run `pulumi refresh --run-program`";

async function openProject(environment: Record<string, string> = {}) {
  const emulator = await startTestEmulator();
  const project = closeAfterTest(await createPulumiProject({ files: javascriptFiles(program), environment }));
  return { emulator, project };
}

/** Runs a command that must fail. @returns what it prints */
async function failureOf(project: PulumiProject, ...parameters: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await project.run(...parameters, "--yes");
  expect(exitCode).not.toBe(0);
  return stdout + stderr;
}

test("a wrong key and a wrong endpoint fail the preview, so that `up` writes neither to the state", async () => {
  const { emulator, project } = await openProject();
  await project.configure({ "agb:apiKey": { secret: "wrong-key" }, "agb:endpoint": emulator.url });
  const { exitCode, stdout } = await project.run("preview");
  expect(exitCode).not.toBe(0);
  expect(stdout).toContain("Check that the API key from agb:apiKey is valid for");
  expect(emulator.requestCounts()).toEqual({ ListSession: 1 });

  await project.configure({ "agb:apiKey": { secret: testKey } });
  await project.up();
  const nowhere = `http://${await deadAddress()}`;
  await project.configure({ "agb:endpoint": nowhere });
  expect(await failureOf(project, "up")).toContain(`The endpoint is ${nowhere}, from agb:endpoint. To change it, run`);

  await project.configure({ "agb:endpoint": emulator.url });
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 3 });
});

test("an endpoint that an `up` without preview left in the state is named, with the command that fixes it", async () => {
  const { emulator, project } = await openProject();
  const configureEndpoint = (endpoint: string) => project.configure({ "agb:endpoint": endpoint });
  await project.configure({ "agb:apiKey": { secret: testKey }, "agb:endpoint": emulator.url });
  await project.up();
  const ids = sessionIdsOf(await project.exportState());
  const nowhere = `http://${await deadAddress()}`;

  for (const command of ["up", "refresh", "destroy"] as const) {
    await configureEndpoint(nowhere);
    const spoiling = await failureOf(project, "up", "--skip-preview");
    expect(spoiling).toContain(fix);
    await configureEndpoint(emulator.url);

    const printed = await failureOf(project, command, "--skip-preview");
    expect(printed).toContain(`The endpoint is ${nowhere}, from agb:endpoint.`);
    expect(printed).toContain(fix);
    // Once among the diagnostics, beside its resource. The progress display above them repeats lines.
    const diagnostics = printed.split("Diagnostics:")[1] ?? "";
    expect(
      diagnostics.match(
        /no connection to \S+ for (GetLabel|getMcpResource|releaseSessionAsync): [^\n]*The endpoint is/g,
      ),
    ).toHaveLength(1);
    expect(diagnostics.match(/could not (refresh|release) AgbSession/g)).toHaveLength(1);
    expect(sessionIdsOf(await project.exportState())).toEqual(ids);

    await project.refresh("--run-program");
    await project[command]();
  }
  expect(emulator.sessions()).toEqual([]);
});

test("a key that is configured after an `up` with the environment's key is found after the same command", async () => {
  const { emulator, project } = await openProject({ AGB_API_KEY: testKey });
  await project.configure({ "agb:endpoint": emulator.url });
  await project.up();
  project.environment["AGB_API_KEY"] = undefined;
  await project.configure({ "agb:apiKey": { secret: testKey } });
  const printed = await failureOf(project, "up", "--skip-preview");
  expect(printed).toContain("No AGB API key.");
  expect(printed).toContain(fix);
  await project.refresh("--run-program");
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 3 });
});

test("looking up a session returns its labels, and fails the `up` when it is not running", async () => {
  const { emulator, project } = await openProject({ AGB_API_KEY: testKey });
  project.environment["AGB_ENDPOINT"] = emulator.url;
  await project.up();
  const [id] = Object.values(sessionIdsOf(await project.exportState()));
  const lookup = `
    exports.team = AgbSession.get("other", process.env.LOOKED_UP).labelsAll.apply((labels) => labels.team);
  `;
  project.environment["LOOKED_UP"] = id;
  await project.write("index.js", `${program}${lookup}`);
  await project.up();
  expect(await project.outputs()).toEqual({ team: "storefront" });

  await emulator.release(String(id));
  await project.refresh();
  expect(sessionIdsOf(await project.exportState())).toEqual({});
  const printed = await failureOf(project, "up", "--skip-preview");
  expect(printed).toContain(
    `could not look up AgbSession (session ${id}): no session with this id exists at ${emulator.url}`,
  );
  expect(printed.split("Diagnostics:")[1]?.match(/no session with this id/g)).toHaveLength(1);
  expect(printed).not.toMatch(/TypeError|\n\s+at /);
  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
});
