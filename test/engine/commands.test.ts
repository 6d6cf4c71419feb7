// Commands in sessions, with the real engine. Engine runs are dear, so each test is a long story.

import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { runShell } from "../support/emulator-requests";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";
import { changesIn, resourceTexts } from "../support/stack-state";

jest.setTimeout(600_000);

const minuteMs = 60_000;

async function openProject(files: { readonly example: string } | { readonly files: Record<string, string> }) {
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"], allowExec: true });
  const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url };
  const project = closeAfterTest(await createPulumiProject({ ...files, environment }));
  /** Runs a script in the only session. */
  const inSession = async (script: string): Promise<string> => {
    const [{ sessionId = "" } = {}] = emulator.sessions();
    return (await runShell(emulator.url, sessionId, script)).stdout;
  };
  const fail = async (command: string, ...parameters: string[]) => {
    const { exitCode, stdout, stderr } = await project.run(command, "--yes", "--skip-preview", ...parameters);
    expect(exitCode).not.toBe(0);
    expect(stdout + stderr).not.toMatch(/Unhandled|node_modules|This is a defect|\n\s+at /);
    return stdout + stderr;
  };
  return { emulator, project, inSession, fail };
}

test("the example runs its commands, again after a change, again in a new session, and their delete at the end", async () => {
  const { emulator, project, inSession } = await openProject({ example: "commands" });

  const first = await project.up();
  expect(changesIn(first.stdout)).toEqual({ created: 5 });
  expect(first.stdout).toContain("build: <h1>Hello</h1>");
  expect((await project.outputs())["page"]).toBe("<h1>Hello</h1>\n<p>Built in a sandbox</p>");
  await project.succeed("preview", "--expect-no-changes");
  const before = resourceTexts(await project.exportState());
  const calls = emulator.requestCounts().mcp;
  await project.up("--expect-no-changes");
  expect(resourceTexts(await project.exportState())).toEqual(before);
  expect(emulator.requestCounts().mcp).toBe(calls);

  await project.configure({ "site:footer": "Built again" });
  expect(changesIn((await project.up()).stdout)).toMatchObject({ updated: 1 });
  expect((await project.outputs())["page"]).toBe("<h1>Hello</h1>\n<p>Built again</p>");

  await project.configure({ "site:title": "Good day" });
  const replaced = await project.up();
  expect(changesIn(replaced.stdout)).toMatchObject({ updated: 1, replaced: 1 });
  expect(replaced.stdout).toContain("build: removed dist");
  expect(await inSession("cat site/dist/index.html")).toBe("<h1>Good day</h1>\n<p>Built again</p>\n");

  await emulator.advanceClock(30 * minuteMs);
  expect(emulator.sessions()).toEqual([]);
  await project.up();
  expect(await inSession("cat site/dist/index.html")).toBe("<h1>Good day</h1>\n<p>Built again</p>\n");

  expect((await project.destroy()).stdout).toContain("build: removed dist");
  expect(emulator.sessions()).toEqual([]);
});
