import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";
import { changesIn, resourceTexts, sessionIdsOf } from "../support/stack-state";

jest.setTimeout(180_000);

function program(sessions: Record<string, unknown>): string {
  return `
    const { AgbSession } = require("pulumi-agb");
    for (const [name, args] of Object.entries(${JSON.stringify(sessions)})) {
      new AgbSession(name, args);
    }
  `;
}

const good = program({ web: { imageId: "agb-code-space-1", labels: { team: "storefront" } } });

test("one preview names every problem of a session, and creates nothing", async () => {
  const emulator = await startTestEmulator();
  const manyLabels = Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`key${index}`, "value"]));
  const project = closeAfterTest(
    await createPulumiProject({
      files: javascriptFiles(
        program({
          web: {
            imageId: " ",
            labels: { ...manyLabels, "a b": "", " ": "x", count: 3, "pulumi-stack": "mine" },
            idleTimeoutSeconds: 1.5,
            policyId: "",
            imagId: "agb-code-space-1",
          },
        }),
      ),
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
    }),
  );
  const { exitCode, stdout, stderr } = await project.run("preview");
  expect(exitCode).not.toBe(0);
  const printed = stdout + stderr;
  for (const problem of [
    "imagId: unknown property; did you mean imageId? [AGB101]",
    "imageId: must not be blank [AGB104]",
    'labels["a b"]: the value is blank',
    'labels[" "]: the key is blank',
    "labels.count: must be a string, not a number",
    'labels["pulumi-stack"]: keys that begin with "pulumi-" are reserved for the provider; choose another key [AGB106]',
    "idleTimeoutSeconds: must be a whole number",
    "policyId: must not be blank",
    "labels: 22 labels in total (17 declared, 0 default, 5 of the provider); the limit is 20",
  ]) {
    expect(printed).toContain(problem);
  }
  expect(printed).not.toMatch(/Unhandled|node_modules|\n\s+at /);
  expect(emulator.requests()).toEqual([]);
});

test("without any key there is one clear error, which names both ways to set it", async () => {
  const emulator = await startTestEmulator();
  const project = closeAfterTest(
    await createPulumiProject({ files: javascriptFiles(good), environment: { AGB_ENDPOINT: emulator.url } }),
  );
  const { exitCode, stdout, stderr } = await project.run("up", "--yes", "--skip-preview");
  expect(exitCode).not.toBe(0);
  const diagnostics = (stdout + stderr).split("Diagnostics:")[1] ?? "";
  expect(diagnostics.match(/No AGB API key/g)).toHaveLength(1);
  expect(diagnostics).toContain("pulumi config set --secret agb:apiKey");
  expect(diagnostics).toContain("AGB_API_KEY");
  expect(emulator.requests()).toEqual([]);
});

test("an unknown image shows AGB's reason and leaves no session; a wrong key removes nothing from the state", async () => {
  const emulator = await startTestEmulator();
  const project = closeAfterTest(
    await createPulumiProject({
      files: javascriptFiles(program({ web: { imageId: "agb-code-spice-1" } })),
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
    }),
  );
  const refused = await project.run("up", "--yes", "--skip-preview");
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stdout).toContain('Image "agb-code-spice-1" does not exist or is not activated');
  expect(refused.stdout).toContain("Check imageId and policyId");
  expect(emulator.sessions()).toEqual([]);
  expect(sessionIdsOf(await project.exportState())).toEqual({});

  await project.write("index.js", good);
  await project.up();
  const before = resourceTexts(await project.exportState());
  const created = emulator.requestCounts().createSession;

  emulator.setApiKeys(["another-key"]);
  for (const command of ["refresh", "up", "destroy"]) {
    const { exitCode, stdout, stderr } = await project.run(command, "--yes", "--skip-preview");
    expect(exitCode).not.toBe(0);
    expect(stdout + stderr).toContain("Check that the API key from AGB_API_KEY");
  }
  expect(Object.keys(resourceTexts(await project.exportState()))).toEqual(Object.keys(before));
  expect(emulator.sessions()).toHaveLength(1);

  emulator.setApiKeys([testKey]);
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 3 });
  expect(emulator.requestCounts().createSession).toBe(created);
  expect(resourceTexts(await project.exportState())).toEqual(before);
});
