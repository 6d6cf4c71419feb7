// `pulumi import` with a YAML program, the real engine and the code that it prints.

import { type Emulator, startEmulator } from "../../provider/emulator";
import "../support/await-pulumi-cli";
import { testKey } from "../support/agb-emulator";
import { createContext, createId } from "../support/emulator-requests";
import { describeWithLanguage, prepareLanguage, type ReadyLanguage } from "../support/plugin-languages";
import { stepsIn } from "../support/preview-steps";
import type { PulumiProject } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

jest.setTimeout(600_000);

const emptyProgram = "name: agb-yaml\nruntime: yaml\noptions:\n  refresh: always\n";

describeWithLanguage("YAML")("pulumi import", () => {
  let emulator: Emulator;
  let ready: ReadyLanguage;
  let project: PulumiProject;

  beforeAll(async () => {
    emulator = await startEmulator({ apiKeys: [testKey], releaseDelayMs: 0 });
    ready = await prepareLanguage("YAML");
  }, 900_000);

  beforeEach(async () => {
    project = await ready.createProject({ AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
    await ready.write(project, emptyProgram);
  });

  afterEach(async () => {
    await project?.close();
    await emulator.reset();
  });

  afterAll(async () => {
    await ready?.close();
    await emulator?.close();
  });

  /** Imports a resource. @returns the code that Pulumi prints for it */
  async function importCode(type: string, name: string, id: string): Promise<string> {
    const { stdout } = await project.succeed("import", type, name, id, "--yes", "--protect=false", "--skip-preview");
    return stdout.slice(stdout.indexOf("resources:"));
  }

  test("the printed code of a session declares it, and only the labels of its owner are missing", async () => {
    const sessionId = await createId(emulator.url, { team: "stores" }, {}, testKey);
    const code = await importCode("agb:index:Session", "web", `agb-code-space-1/${sessionId}`);
    await ready.write(project, `${emptyProgram}${code}`);
    expect(stepsIn((await project.succeed("preview", "--diff")).stdout)).toEqual([
      [
        "~ agb:index:Session: (update)",
        "~ labelsAll: {",
        '+ pulumi-project: "agb-yaml"',
        '+ pulumi-resource: "web"',
        '+ pulumi-stack: "test"',
        expect.stringMatching(/^\+ pulumi-stack-id: /),
        "}",
        expect.stringMatching(/^\+ stackId: /),
      ],
    ]);
    expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, unchanged: 1 });
    expect(emulator.sessions()).toMatchObject([{ sessionId, labels: { team: "stores", "pulumi-resource": "web" } }]);
    await project.succeed("preview", "--expect-no-changes");
  });

  test("a session by its id alone takes the first image that is declared, and is not replaced", async () => {
    const sessionId = await createId(emulator.url, { team: "stores" }, {}, testKey);
    const code = await importCode("agb:index:Session", "web", sessionId);
    await ready.write(project, `${emptyProgram}${code.replace(/imageId: .*/, "imageId: agb-code-space-1")}`);
    expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, unchanged: 1 });
    expect(emulator.sessions()).toMatchObject([{ sessionId }]);
    await project.succeed("preview", "--expect-no-changes");
  });

  test.each(["id", "name"])(
    "the printed code of a context, imported by its %s, previews without changes",
    async (by) => {
      const contextId = await createContext(emulator.url, "shop-data", testKey);
      const code = await importCode("agb:index:Context", "data", by === "id" ? contextId : "shop-data");
      await ready.write(project, `${emptyProgram}${code}`);
      await project.succeed("preview", "--expect-no-changes");
      expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 2 });
    },
  );

  test("an id that AGB does not know is refused", async () => {
    const { exitCode, stdout, stderr } = await project.run(
      "import",
      "agb:index:Session",
      "web",
      "session-none",
      "--yes",
    );
    expect(exitCode).not.toBe(0);
    expect(`${stdout}${stderr}`).toContain("[AGB314]");
  });
});
