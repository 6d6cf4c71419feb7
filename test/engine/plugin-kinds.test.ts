import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { runShell } from "../support/emulator-requests";
import { usePlugin } from "../support/plugin-file";
import { pluginClasses } from "../support/plugin-program";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

// All kinds, functions and an explicit provider of the built plugin, with the real engine.

jest.setTimeout(600_000);

const word = "hush4711";

/** A program with the types of the plugin by their names. `text` is what the program puts into a file. */
function program(text: string, command = 'cat "$FOLDER"/app/greeting; echo "$TOKEN"'): string {
  return `${pluginClasses}
    const config = new pulumi.Config();
    const provider = new Provider("agb", "account", {
      apiKey: config.requireSecret("key"),
      defaultLabels: pulumi.secret(JSON.stringify({ owner: "${word} default" })),
    });
    const opts = { provider };
    const cache = new Context("cache", { name: "build-cache" }, opts);
    const web = new Session("web", {
      imageId: "agb-code-space-1",
      labels: { token: pulumi.secret("${word} label") },
      contextSyncs: [{ contextId: cache.id, path: "/home/user/cache" }],
    }, opts);
    const folder = "/tmp/plugin-kinds";
    const app = new File("app", { sessionId: web.id, source: new pulumi.asset.FileArchive("./app"), path: folder + "/app" }, opts);
    new File("secret", {
      sessionId: web.id, source: pulumi.secret(new pulumi.asset.StringAsset("${word} ${text}")), path: folder + "/secret",
    }, opts);
    const build = new Command("build", {
      sessionId: web.id,
      create: ${JSON.stringify(command)},
      environment: { FOLDER: folder, TOKEN: pulumi.secret("${word} variable") },
      triggers: [app.contentHash],
      logging: "none",
    }, opts);
    exports.found = pulumi.runtime.invokeOutput("agb:index:getSession", { sessionId: web.id }, opts).status;
    exports.contextId = pulumi.runtime.invokeOutput("agb:index:getContext", { name: "build-cache" }, { ...opts, dependsOn: cache }).contextId;
    exports.stdout = build.stdout;
    exports.sessionId = web.id;
  `;
}

test("up, nothing to do, a failing command, a file's edit, destroy", async () => {
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"], allowExec: true });
  const files = { ...javascriptFiles(program("one")), "app/greeting": "hello\n" };
  const project = closeAfterTest(await createPulumiProject({ files, environment: { AGB_ENDPOINT: emulator.url } }));
  await usePlugin(project);
  await project.configure({ key: { secret: testKey } });

  await project.succeed("preview");
  expect(emulator.sessions()).toEqual([]);
  expect(changesIn((await project.up()).stdout)).toEqual({ created: 7 });
  const { found, contextId, stdout, sessionId } = await project.outputs();
  expect([found, contextId, stdout]).toEqual(["[secret]", "[secret]", "[secret]"]);
  const shown = JSON.parse((await project.succeed("stack", "output", "--json", "--show-secrets")).stdout);
  expect(shown).toMatchObject({
    found: "RUNNING",
    contextId: emulator.contexts()[0]?.contextId,
    stdout: `hello\n${word} variable`,
  });
  const read = async (file: string) =>
    (await runShell(emulator.url, String(sessionId), `cat /tmp/plugin-kinds/${file}`)).stdout;
  expect(await read("secret")).toBe(`${word} one`);
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 7 });

  // What failed stays in the state, and the next run repairs it.
  await project.write("index.js", program("two", "echo broken >&2; exit 3"));
  const failed = await project.run("up", "--yes", "--skip-preview");
  expect(failed.exitCode).not.toBe(0);
  expect(failed.stdout).toContain("[AGB901]");
  expect((await project.exportState()).deployment.pending_operations ?? []).toEqual([]);
  await project.write("index.js", program("two"));
  expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, unchanged: 6 });
  expect(await read("secret")).toBe(`${word} two`);

  await project.write("app/greeting", "hello again\n");
  expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, replaced: 1, unchanged: 5 });
  expect(await read("app/greeting")).toBe("hello again\n");

  const state = JSON.stringify(await project.exportState());
  expect(state).not.toContain(word);
  expect(state).not.toContain(testKey);
  await project.destroy();
  expect([...emulator.sessions(), ...emulator.contexts()]).toEqual([]);
  expect(project.transcript().replaceAll(JSON.stringify(shown), "")).not.toContain(testKey);
});
