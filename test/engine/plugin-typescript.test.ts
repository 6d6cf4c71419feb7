// The TypeScript program of the plugin's page, with the SDK that Pulumi generates from the committed schema. Pulumi checks its
// types.

import "../support/await-pulumi-cli";
import { findBlocksOfTest } from "../docs/code-blocks";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { describeWithLanguage, type PluginProjects, prepareProjects, replaceWord } from "../support/plugin-languages";
import { changesIn } from "../support/stack-state";

jest.setTimeout(600_000);

/** The program on the plugin's page. */
const program = findBlocksOfTest("test/engine/plugin-typescript.test.ts")[0]?.code ?? "";

const files = {
  "Pulumi.yaml": "name: engine-test\nruntime: nodejs\noptions:\n  refresh: always\n",
  "package.json": JSON.stringify({ name: "engine-test", private: true, main: "index.ts" }),
  "tsconfig.json": JSON.stringify({
    compilerOptions: { target: "ES2022", module: "node16", moduleResolution: "node16", strict: true, types: [] },
    files: ["index.ts"],
  }),
  "index.ts": program,
};

describeWithLanguage("TypeScript")("a program with the generated SDK", () => {
  let projects: PluginProjects;

  beforeAll(async () => {
    projects = await prepareProjects("TypeScript");
  }, 900_000);

  afterAll(() => projects?.close());

  test("creates, keeps, changes and deletes a session with a context", async () => {
    const emulator = await startTestEmulator();
    const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url };
    const project = closeAfterTest(await projects.createProject({ files, environment }));

    expect(changesIn((await project.up()).stdout)).toEqual({ created: 3 });
    const [session] = emulator.sessions();
    expect(await project.outputs()).toEqual({
      sessionId: session?.sessionId,
      contextId: emulator.contexts()[0]?.contextId,
      labels: { project: "shop", team: "storefront" },
      status: "RUNNING",
    });
    expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 3 });

    await project.write("index.ts", replaceWord(program, "storefront", "search"));
    expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, unchanged: 2 });
    expect(emulator.sessions()).toMatchObject([{ sessionId: session?.sessionId, labels: { team: "search" } }]);

    await project.destroy();
    expect([...emulator.sessions(), ...emulator.contexts()]).toEqual([]);
  });

  test("cannot name an argument that the schema does not have", async () => {
    const emulator = await startTestEmulator();
    const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url };
    const misspelt = { ...files, "index.ts": replaceWord(program, "imageId", "imageID") };
    const project = closeAfterTest(await projects.createProject({ files: misspelt, environment }));
    const { exitCode, stdout } = await project.run("preview");
    expect(stdout).toContain("'imageID' does not exist in type 'SessionArgs'");
    expect(exitCode).not.toBe(0);
  });
});
