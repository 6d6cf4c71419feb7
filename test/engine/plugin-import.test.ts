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

  /** The resources of AGB in the state. */
  async function inState() {
    const { resources = [] } = (await project.exportState()).deployment;
    return resources.filter(({ type }) => type.startsWith("agb:"));
  }

  const owner = { "pulumi-project": "shop", "pulumi-stack": "prod", "pulumi-resource": "api" };

  test.each<[string, string, () => string | Promise<string>, RegExp]>([
    [
      "an id that AGB does not know",
      "Session",
      () => "agb-code-space-1/session-none",
      /no session with this id exists/,
    ],
    [
      "a session that AGB has released",
      "Session",
      async () => {
        const sessionId = await createId(emulator.url, {}, {}, testKey);
        await emulator.release(sessionId);
        return `agb-code-space-1/${sessionId}`;
      },
      /no session with this id exists .* AGB releases idle sessions\. Import a running one: .*\[AGB314\]/s,
    ],
    [
      "a session of another stack",
      "Session",
      async () => `agb-code-space-1/${await createId(emulator.url, owner, {}, testKey)}`,
      /belongs to resource api of shop\/prod\. .*\[AGB407\]/s,
    ],
    [
      "the name of a context in another case",
      "Context",
      async () => {
        await createContext(emulator.url, "Shop-Data", testKey);
        return "shop-data";
      },
      /no context with this id exists .* Import the id or the name of a context that exists\. \[AGB314\]/s,
    ],
  ])("%s is refused, and the state has nothing of it", async (_, type, make, message) => {
    const id = await make();
    const before = [emulator.sessions(), emulator.contexts()];
    const { exitCode, stdout, stderr } = await project.run("import", `agb:index:${type}`, "web", id, "--yes");
    expect(exitCode).not.toBe(0);
    expect(`${stdout}${stderr}`).toMatch(message);
    expect(`${stdout}${stderr}`).not.toContain("a bug in the agb provider");
    expect(await inState()).toEqual([]);
    expect([emulator.sessions(), emulator.contexts()]).toEqual(before);
  });

  test("a session that the state has lost is imported as it was, and the program sees no change", async () => {
    const program = `${emptyProgram}resources:
  web:
    type: agb:Session
    properties:
      imageId: agb-code-space-1
      labels: { team: stores }
      retainOnDelete: true
`;
    await ready.write(project, program);
    await project.up();
    const [before] = await inState();
    await project.succeed("state", "delete", before?.urn ?? "", "--yes");
    expect(await inState()).toEqual([]);

    const code = await importCode("agb:index:Session", "web", `agb-code-space-1/${before?.id}`);
    const [after] = await inState();
    expect(after).toMatchObject({ id: before?.id, inputs: before?.inputs, outputs: before?.outputs });
    await project.succeed("preview", "--expect-no-changes");
    expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 2 });
    // So does the code that Pulumi prints.
    await ready.write(project, `${emptyProgram}${code}`);
    await project.succeed("preview", "--expect-no-changes");
    expect(emulator.sessions()).toMatchObject([{ sessionId: before?.id, labels: before?.outputs?.["labelsAll"] }]);

    // AGB does not tell the idle time.
    const timed = `${program}      idleTimeoutSeconds: 600\n`;
    await ready.write(project, timed);
    expect(stepsIn((await project.succeed("preview", "--diff")).stdout)).toEqual([
      ["+-agb:index:Session: (replace)", "+ idleTimeoutSeconds: 600"],
    ]);
    await ready.write(project, `${timed}    options: { ignoreChanges: [idleTimeoutSeconds] }\n`);
    await project.succeed("preview", "--expect-no-changes");
  });
});
