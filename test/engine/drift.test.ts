// The command `drift` with the real Pulumi CLI, from the first drift to its repair.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { runBounded } from "../support/bounded-process";
import { closeAfterTest } from "../support/close-after-test";
import { forgeToken, ownName, startForgeServer } from "../support/forge-server";
import { repositoryRoot } from "../support/node-process";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";

jest.setTimeout(600_000);

const command = join(repositoryRoot, "dist", "cli", "main.js");
const secretLabel = "s3cr3t-label-41";

const program = `
  const pulumi = require("@pulumi/pulumi");
  const { AgbSession } = require("pulumi-agb");
  const labels = { team: "web", code: pulumi.secret(${JSON.stringify(secretLabel)}) };
  exports.labels = new AgbSession("web", { imageId: "agb-code-space-1", labels }).labels;
`;

async function openStack() {
  const emulator = await startTestEmulator();
  const forge = await startForgeServer();
  const project = closeAfterTest(
    await createPulumiProject({
      files: javascriptFiles(program),
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
    }),
  );
  const summaryPath = join(project.root, "summary.md");
  await project.up();

  const drift = async (...parameters: string[]) => {
    const result = await runBounded(process.execPath, [command, "drift", "--stack", "test", ...parameters], {
      directory: project.directory,
      environment: { ...project.environment, GITLAB_CI: "", ...forge.gitHub, GITHUB_STEP_SUMMARY: summaryPath },
      timeoutMs: 120_000,
    });
    const printed = result.stdout + result.stderr;
    expect(printed).not.toContain(secretLabel);
    expect(printed).not.toContain(forgeToken);
    return { ...result, printed };
  };
  const changeTeam = async (team: string, code = secretLabel) => {
    const [session] = emulator.sessions();
    await emulator.setLabels(session?.sessionId ?? "", { ...session?.labels, team, code });
  };
  return { emulator, forge, project, drift, changeTeam, summary: () => readFile(summaryPath, "utf8") };
}

test("drift opens one issue, updates it and closes it after the repair; a failed check does not change it", async () => {
  const { forge, project, drift, changeTeam, summary } = await openStack();

  await changeTeam("stranger");
  const first = await drift();
  expect(first.printed).toMatch(/team *: "stranger" => "web"/);
  expect(first.printed).toContain("Opened the issue https://forge.test/issues/100");
  expect(first.exitCode).toBe(2);
  expect(forge.issues).toEqual([
    expect.objectContaining({
      author: ownName,
      labels: ["agb-drift"],
      title: "Drift in engine-test/test",
      state: "open",
    }),
  ]);
  expect(forge.issues[0]?.body).toMatch(/^<!-- agb-drift engine-test\/test -->\n/);
  expect(forge.issues[0]?.body).toContain("https://github.com/acme/shop/actions/runs/8001/attempts/2");
  expect(forge.issues[0]?.body).toMatch(/```text\n[^`]*code: \[secret\][^`]*\n```/);

  await changeTeam("another", "another secret");
  expect((await drift()).exitCode).toBe(2);
  expect(forge.issues).toHaveLength(1);
  expect(forge.issues[0]?.body).toMatch(/team *: "another" => "web"/);
  expect(forge.issues[0]?.body).not.toContain("stranger");

  await project.write("index.js", "console.error('broken program'); process.exit(1);");
  const before = { issue: structuredClone(forge.issues[0]), writes: forge.writes() };
  const broken = await drift();
  expect(broken.exitCode).toBe(1);
  expect(broken.stderr).toMatch(/Could not check test for drift[\s\S]*broken program/);
  expect({ issue: forge.issues[0], writes: forge.writes() }).toEqual(before);

  await project.write("index.js", program);
  await project.up();
  const clean = await drift();
  expect(clean.printed).toContain("Closed the issue https://forge.test/issues/100");
  expect(clean.exitCode).toBe(0);
  expect(forge.issues).toEqual([expect.objectContaining({ state: "closed" })]);
  expect(forge.comments).toEqual([expect.objectContaining({ on: "issue", body: expect.stringMatching(/^No drift/) })]);

  const written = JSON.stringify([forge.issues, forge.comments]) + (await summary());
  expect(written).not.toMatch(new RegExp(`${secretLabel}|another secret`));
  expect(await summary()).toMatch(
    /What exists at AGB differs from what .*[\s\S]*No drift: what exists at AGB is what the stack `engine-test\/test`/,
  );
});
