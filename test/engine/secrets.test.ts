import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { createPulumiProject, javascriptFiles, readTextsBelow } from "../support/pulumi-project";
import { sessionsOf } from "../support/stack-state";

jest.setTimeout(600_000);

const hiddenLabel = "ticket-of-the-merger-4711";
const encrypted = { ciphertext: expect.any(String) };

const program = `
  const pulumi = require("@pulumi/pulumi");
  const { AgbSession } = require("pulumi-agb");
  const hidden = new pulumi.Config().requireSecret("hiddenLabel");
  const web = new AgbSession("web", { imageId: "agb-code-space-1", labels: { team: "storefront", ticket: hidden } });
  exports.web = web;
  exports.labels = web.labels;
  exports.sessionId = web.sessionId;
`;

test("a key and a label from secret configuration appear nowhere in clear, other values do; destroy needs no program", async () => {
  const emulator = await startTestEmulator();
  const project = closeAfterTest(await createPulumiProject({ files: javascriptFiles(program) }));
  await project.configure({
    "agb:apiKey": { secret: testKey },
    "agb:endpoint": emulator.url,
    "engine-test:hiddenLabel": { secret: hiddenLabel },
  });
  await project.up();
  expect(emulator.sessions()[0]?.labels).toMatchObject({ team: "storefront", ticket: hiddenLabel });
  // These runs print as much as possible: drift of the secret label, a refused key, all outputs.
  await emulator.setLabels(emulator.sessions()[0]?.sessionId ?? "", { ticket: `${hiddenLabel}-changed` });
  await project.succeed("preview", "--diff");
  await project.up("--diff");
  emulator.setApiKeys(["another-key"]);
  expect((await project.run("refresh", "--yes", "--skip-preview", "--diff")).exitCode).not.toBe(0);
  emulator.setApiKeys([testKey]);
  await project.outputs();

  const state = await project.exportState();
  const { inputs, outputs } = sessionsOf(state)["web"] ?? {};
  for (const properties of [inputs, outputs]) {
    expect(properties).toMatchObject({
      imageId: "agb-code-space-1",
      labels: { team: "storefront", ticket: encrypted },
      labelsAll: { team: "storefront", ticket: encrypted, "pulumi-resource": "web" },
    });
  }

  // Like a job that cleans up after a branch was removed.
  await project.remove("index.js");
  await project.destroy();
  expect(emulator.sessions()).toEqual([]);

  const texts = await readTextsBelow(project.root);
  expect(texts.has(project.checkpointPath)).toBe(true);
  for (const secret of [testKey, hiddenLabel]) {
    expect([...texts].filter(([, text]) => text.includes(secret)).map(([path]) => path)).toEqual([]);
    expect(JSON.stringify(state)).not.toContain(secret);
    expect(project.transcript()).not.toContain(secret);
  }
});
