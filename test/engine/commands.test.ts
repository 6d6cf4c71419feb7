// Commands in sessions, with the real engine. Engine runs are dear, so each test is a long story.

import "../support/await-pulumi-cli";
import { systemClock, waitUntil } from "../../provider/lifecycle/wait";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { startBounded } from "../support/bounded-process";
import { closeAfterTest } from "../support/close-after-test";
import { runShell } from "../support/emulator-requests";
import { pulumiCli } from "../support/pulumi-cli";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";
import { changesIn, resourceTexts } from "../support/stack-state";

jest.setTimeout(600_000);

const minuteMs = 60_000;
// Only an engine that hangs takes this long, however busy the machine is.
const looks = { timeoutMs: 4 * minuteMs, firstDelayMs: 50, longestDelayMs: 500 };

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

/** A program with a session and a command that gets a secret. */
function program(command: Record<string, unknown>): string {
  return `
    const pulumi = require("@pulumi/pulumi");
    const { AgbCommand, AgbSession } = require("pulumi-agb");
    const web = new AgbSession("web", { imageId: "agb-code-space-1", idleTimeoutSeconds: 1800 });
    const token = new pulumi.Config("shop").requireSecret("token");
    const build = new AgbCommand("build", {
      sessionId: web.sessionId,
      environment: { TOKEN: token },
      ...${JSON.stringify(command)},
    });
    exports.stdout = build.stdout;
    exports.exitCode = build.exitCode;
  `;
}

const token = "s3cret-token-of-the-shop";

test("a killed engine leaves the command running, and the next `up` waits for the same run", async () => {
  const command = { create: "echo run >> runs; while [ ! -e go ]; do sleep 0.1; done; echo done" };
  const { emulator, project, inSession } = await openProject({ files: javascriptFiles(program(command)) });
  await project.configure({ "shop:token": { secret: token } });
  const { command: pulumi } = await pulumiCli();
  const bounds = { directory: project.directory, environment: project.environment, timeoutMs: 300_000 };
  const engine = startBounded(pulumi, ["up", "--yes", "--skip-preview", "--non-interactive"], bounds);
  closeAfterTest({ close: () => engine.kill() });
  const hasBegun = async () => emulator.sessions().length > 0 && (await inSession("cat runs 2>/dev/null; true")) !== "";
  expect(await waitUntil(hasBegun, looks, systemClock)).toBe(true);
  engine.send("SIGKILL");
  await engine.result;

  await project.succeed("cancel", "--yes");
  await inSession("touch go");
  await project.up();

  expect(emulator.requestCounts().createSession).toBe(1);
  expect(await project.outputs()).toEqual({ stdout: "done", exitCode: 0 });
  expect(await inSession("cat runs")).toBe("run\n");
  await project.up("--expect-no-changes");
  expect(await inSession("cat runs")).toBe("run\n");
});

test("a failed edit is repaired by the next `up`, secrets stay secret, and a forced replacement runs again", async () => {
  const command = { create: 'echo create >> runs; echo "got $TOKEN"', sensitive: true, delete: "echo delete >> runs" };
  const { project, inSession, fail } = await openProject({ files: javascriptFiles(program(command)) });
  await project.configure({ "shop:token": { secret: token } });
  await project.up();
  expect(JSON.stringify(await project.exportState())).not.toContain(token);
  expect((await project.outputs())["stdout"]).toBe("[secret]");

  const update = "echo update >> runs; test -e ready";
  await project.write("index.js", program({ ...command, update }));
  const failure = await fail("up");
  expect(failure).toContain("the command `update` ended with exit code 1");
  expect(failure).toContain("[AGB901]");
  expect(await fail("up")).toContain("[AGB901]");
  await inSession("touch ready");
  expect(changesIn((await project.up()).stdout)).toMatchObject({ updated: 1 });
  await project.up("--expect-no-changes");
  expect(await inSession("cat runs")).toBe("create\nupdate\nupdate\nupdate\n");

  await project.up("--replace", "**AgbCommand::build");
  expect(await inSession("cat runs")).toBe("create\nupdate\nupdate\nupdate\ndelete\ncreate\n");
  expect(project.transcript()).not.toContain(token);
  await project.destroy();
});
