// A stack moves from the dynamic resource in a Node program to the plugin in a YAML program, and back, with the real engine.

import { symlink } from "node:fs/promises";
import { join } from "node:path";
import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { describeWithLanguage, prepareLanguage } from "../support/plugin-languages";
import { javascriptFiles } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

jest.setTimeout(900_000);

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
      labels: { team: "stores", token: pulumi.secret("${word}") },
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
        team: stores
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

describeWithLanguage("YAML")("migration", () => {
  test("a stack moves to the plugin and back, and its session and its context stay the same", async () => {
    const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"] });
    const yaml = closeAfterTest(await prepareLanguage("YAML"));
    const project = closeAfterTest(await yaml.createProject({ AGB_ENDPOINT: emulator.url }));
    await symlink(join(__dirname, "..", "..", "node_modules"), join(project.directory, "node_modules"), "junction");
    const writeDynamic = async (program: string) => {
      for (const [name, text] of Object.entries(javascriptFiles(program))) {
        await project.write(name, text);
      }
    };
    await writeDynamic(dynamicProgram("", ""));
    await project.succeed("stack", "init", "migration");
    await project.configure({ key: { secret: testKey } });
    await project.up();
    const outputs = await project.outputs();
    const [session] = emulator.sessions();
    expect(outputs).toEqual({ sessionId: session?.sessionId, contextId: emulator.contexts()[0]?.contextId });

    // To the plugin. The schema has the alias.
    await yaml.write(project, yamlProgram);
    const toPlugin = await project.run("up", "--yes", "--skip-preview");
    console.log(toPlugin.stdout, toPlugin.stderr);
    console.log(
      JSON.stringify(
        (await project.exportState()).deployment.resources?.map(({ urn, id }) => [urn, id]),
        null,
        1,
      ),
    );
    console.log(changesIn((await project.run("up", "--yes", "--skip-preview")).stdout));
    expect(await project.outputs()).toEqual(outputs);

    await writeDynamic(
      dynamicProgram('aliases: [{ type: "agb:index:Context" }]', 'aliases: [{ type: "agb:index:Session" }]'),
    );
    const back = await project.run("up", "--yes", "--skip-preview", "--refresh=false");
    console.log(back.stdout, back.stderr);
    console.log(
      JSON.stringify(
        (await project.exportState()).deployment.resources?.map(({ urn, id }) => [urn, id]),
        null,
        1,
      ),
    );
    expect(await project.outputs()).toEqual(outputs);
    expect(emulator.requestCounts()).toMatchObject({ createSession: 1 });
  });
});
