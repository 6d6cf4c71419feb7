// A stack moves from the dynamic resource in a Node program to the plugin in a YAML program, and back, with the real engine.

import { symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import "../support/await-pulumi-cli";
import type { Emulator } from "../../provider/emulator";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { describeWithLanguage, prepareLanguage, type ReadyLanguage } from "../support/plugin-languages";
import { javascriptFiles, type PulumiProject } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

jest.setTimeout(900_000);

const repositoryDirectory = join(__dirname, "..", "..");
/** What a Node program declares by itself. A plugin needs none. */
const identityUrn = "urn:pulumi:move::engine-test::pulumi-nodejs:dynamic/agb:AgbStackIdentity::agb";

const word = "hush4711";

/** A Node program. The session is a child of the context that it mounts. */
function dynamicProgram(contextOptions: string, sessionOptions: string): string {
  return `
    const pulumi = require("@pulumi/pulumi");
    const { AgbContext, AgbProvider, AgbSession } = require("pulumi-agb");
    const config = new pulumi.Config();
    const provider = new AgbProvider("account", { apiKey: config.requireSecret("key") });
    const data = new AgbContext("data", { name: "shop-data" }, { provider, ${contextOptions} });
    const web = new AgbSession("web", {
      imageId: "agb-code-space-1",
      labels: { team: "storefront", token: pulumi.secret("${word}") },
      contextSyncs: [{ contextId: data.contextId, path: "/home/user/data" }],
    }, { provider, parent: data, ${sessionOptions} });
    exports.sessionId = web.sessionId;
    exports.contextId = data.contextId;
  `;
}

/** The same as a YAML program with the plugin. */
const yamlProgram = `name: engine-test
runtime: yaml
options:
  refresh: always
config:
  key:
    type: string
    secret: true
resources:
  account:
    type: pulumi:providers:agb
    properties:
      apiKey: \${key}
  data:
    type: agb:Context
    properties:
      name: shop-data
    options:
      provider: \${account}
  web:
    type: agb:Session
    properties:
      imageId: agb-code-space-1
      labels:
        team: storefront
        token:
          fn::secret: ${word}
      contextSyncs:
        - contextId: \${data.id}
          path: /home/user/data
    options:
      provider: \${account}
      parent: \${data}
outputs:
  sessionId: \${web.id}
  contextId: \${data.id}
`;

describeWithLanguage("YAML")("a move to the plugin and back", () => {
  let emulator: Emulator;
  let yaml: ReadyLanguage;
  let project: PulumiProject;

  beforeAll(async () => {
    yaml = await prepareLanguage("YAML");
  }, 900_000);

  afterAll(() => yaml?.close());

  async function writeDynamic(contextOptions: string, sessionOptions: string): Promise<void> {
    for (const [name, text] of Object.entries(javascriptFiles(dynamicProgram(contextOptions, sessionOptions)))) {
      await project.write(name, text);
    }
  }

  async function expectNoSecrets(): Promise<void> {
    const state = JSON.stringify(await project.exportState());
    expect(state).toContain("storefront");
    expect(state).not.toContain(word);
    expect(state).not.toContain(testKey);
  }

  test.each(["with", "without"])("touches neither session nor context, %s node_modules", async (node) => {
    emulator = await startTestEmulator();
    project = closeAfterTest(await yaml.createProject({ AGB_ENDPOINT: emulator.url }));
    const modules = join(project.directory, "node_modules");
    await symlink(join(repositoryDirectory, "node_modules"), modules, "junction");
    await writeDynamic("", "");
    // The project has another name than the example, from which the folder was made.
    await project.succeed("stack", "init", "move");
    await project.configure({ key: { secret: testKey } });
    await project.up();
    const outputs = await project.outputs();
    const [session] = emulator.sessions();
    expect(outputs).toEqual({ sessionId: session?.sessionId, contextId: emulator.contexts()[0]?.contextId });
    const touched = () => {
      const { createSession, releaseSessionAsync, SyncContext, DeleteContext } = emulator.requestCounts();
      return { createSession, releaseSessionAsync, SyncContext, DeleteContext };
    };
    const before = touched();

    await yaml.write(project, yamlProgram);
    if (node === "without") {
      // Pulumi starts the dynamic provider from node_modules, to refresh and to delete the identity of the stack.
      await unlink(modules);
      const refused = await project.run("up", "--yes", "--skip-preview");
      expect(refused.exitCode).not.toBe(0);
      expect(refused.stderr).toContain("could not load provider for resource");
      const moved = await project.run("up", "--yes", "--skip-preview", "--refresh=false");
      expect(moved.exitCode).not.toBe(0);
      expect(moved.stdout).toContain(`could not load provider for resource ${identityUrn}`);
      await project.succeed("state", "delete", identityUrn, "--yes");
      await project.up();
    } else {
      await project.up();
    }
    expect(await project.outputs()).toEqual(outputs);
    expect(await resourcesOf(project)).toEqual({
      "agb:index:Context": outputs["contextId"],
      "agb:index:Context$agb:index:Session": outputs["sessionId"],
    });
    expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 4 });
    await expectNoSecrets();

    if (node === "without") {
      await symlink(join(repositoryDirectory, "node_modules"), modules, "junction");
    }
    const alias = (type: string) => `aliases: [{ type: "${type}" }]`;
    await writeDynamic(alias("agb:index:Context"), alias("agb:index:Session"));
    await project.up();
    expect(await project.outputs()).toEqual(outputs);
    expect(await resourcesOf(project)).toEqual({
      "pulumi-nodejs:dynamic/agb:AgbContext": outputs["contextId"],
      "pulumi-nodejs:dynamic/agb:AgbContext$pulumi-nodejs:dynamic/agb:AgbSession": outputs["sessionId"],
    });
    await expectNoSecrets();

    // Only the label that says which stack owns it is another one.
    const { "pulumi-stack-id": _, ...labels } = session?.labels ?? {};
    expect(emulator.sessions()).toMatchObject([{ ...session, labels }]);
    expect(touched()).toEqual(before);
    await writeDynamic("", "");
    expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 5 });
    await project.destroy();
    expect([...emulator.sessions(), ...emulator.contexts()]).toEqual([]);
  });
});

/** The ids of the resources that AGB has, by their types with those of their parents. */
async function resourcesOf(project: PulumiProject): Promise<Record<string, string | undefined>> {
  const { resources = [] } = (await project.exportState()).deployment;
  const ours = resources.filter(({ type }) => /Session$|Context$/.test(type));
  return Object.fromEntries(ours.map(({ urn, id }) => [urn.split("::")[2], id]));
}
