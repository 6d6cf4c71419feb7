// The life of a request, told by the `run:` lines of the workflow files themselves: run by bash with the real Pulumi CLI, each job
// in a fresh checkout as on a runner. Only `npm ci` is replaced by its effect.

import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import "../support/await-pulumi-cli";
import { Runner } from "../support/bash-step";
import { closeAfterTest } from "../support/close-after-test";
import { ExpressionEvaluator } from "../support/expression-evaluator";
import { type ForgeServer, forgeToken, startForgeServer } from "../support/forge-server";
import { pulumiCli } from "../support/pulumi-cli";
import { javascriptFiles } from "../support/pulumi-project";
import { type RequestTraits, requestEvent } from "../support/request-events";
import { commands } from "../support/workflow-commands";
import { readWorkflow, repositoryDirectory } from "../support/workflow-files";
import { type WorkflowEvent, WorkflowRun } from "../support/workflow-job";

jest.setTimeout(600_000);

const program = `
  const pulumi = require("@pulumi/pulumi");
  const { AgbSession } = require("pulumi-agb");
  const preview = new pulumi.Config("preview");
  const labels = { request: preview.require("request"), commit: preview.require("commit") };
  for (const name of ["web", "worker"]) {
    new AgbSession(name, { imageId: "agb-code-space-1", labels });
  }
`;
const { "index.js": index = "", ...projectFiles } = javascriptFiles(program);
const otherCommit = "0123456789abcdef0123456789abcdef01234567";

/** A repository with its settings, and the backend that outlives all jobs. */
async function createRepository(agbUrl: string, forge: ForgeServer) {
  const pulumi = await pulumiCli();
  const evaluator = closeAfterTest(new ExpressionEvaluator());
  const root = await realpath(await mkdtemp(join(tmpdir(), "pulumi-agb-state-")));
  closeAfterTest({ close: () => rm(root, { recursive: true, force: true, maxRetries: 3 }) });
  const { GITHUB_TOKEN: _, ...runnerVariables } = forge.gitHub;
  const machine = {
    ...runnerVariables,
    PATH: [pulumi.binDirectory, process.env["PATH"] ?? ""].join(delimiter),
    HOME: root,
    PULUMI_HOME: join(root, "pulumi-home"),
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  const settings = {
    token: forgeToken,
    vars: { AGB_ENDPOINT: agbUrl, PULUMI_BACKEND_URL: pathToFileURL(root).href },
    secrets: { AGB_API_KEY: testKey, PULUMI_CONFIG_PASSPHRASE: "a passphrase" },
  };

  /**
   * Runs the one job that the event starts.
   *
   * @param files what is checked out besides the project's own files
   * @param killUp settles when the command `up` is to be killed
   */
  return async (
    file: string,
    event: WorkflowEvent,
    files: Readonly<Record<string, string>> = {},
    killUp?: () => Promise<void>,
  ) => {
    const runner = await Runner.create(machine);
    try {
      const directory = join(runner.workspace, "preview");
      await mkdir(directory);
      for (const [name, text] of Object.entries({ ...projectFiles, ...files })) {
        await writeFile(join(directory, name), text);
      }
      const run = new WorkflowRun(readWorkflow(file), { ...event, ...settings }, evaluator);
      const [job = "", ...others] = await run.startedJobs();
      expect(others).toEqual([]);
      let printed = "";
      const result = await run.runJob(job, async (step) => {
        if (step.command === commands.install) {
          await symlink(join(repositoryDirectory, "node_modules"), join(directory, "node_modules"), "junction");
          return { outcome: "success" };
        }
        if (killUp !== undefined && step.command === commands.up) {
          const cancel = new AbortController();
          const killed = expect(runner.run(step, cancel.signal)).rejects.toThrow("was stopped");
          await killUp();
          cancel.abort();
          await killed;
          return { outcome: "cancelled" };
        }
        const ended = await runner.run(step);
        printed += ended.stdout + ended.stderr;
        return ended;
      });
      expect(printed).not.toContain(testKey);
      return { ...result, job, printed, summary: await runner.summary() };
    } finally {
      await runner.close();
    }
  };
}

test("a request's environment comes, follows its pushes and goes, and the sweep finds nothing", async () => {
  const emulator = await startTestEmulator();
  const forge = await startForgeServer();
  forge.addRequest(12);
  const runJob = await createRepository(emulator.url, forge);
  const withProgram = { "index.js": index };
  const request = (name: "pull_request" | "pull_request_target", action: string, traits?: RequestTraits) =>
    requestEvent(name, action, traits);

  const opened = await runJob("preview.yml", request("pull_request", "opened"), withProgram);
  expect(opened).toMatchObject({ job: "up", status: "success", outputs: { stack: "pr-12" } });
  const ids = Object.fromEntries(
    emulator.sessions().map(({ sessionId, labels }) => [labels["pulumi-resource"], sessionId]),
  );
  expect(Object.keys(ids).sort()).toEqual(["web", "worker"]);
  expect(JSON.parse(opened.outputs["session-ids"] ?? "")).toEqual(ids);
  // In Markdown the id's hyphen is written as a character reference.
  const web = ids["web"]?.split("-")[1] ?? "none";
  expect(opened.summary).toContain(web);
  expect(forge.comments).toMatchObject([{ number: 12, body: expect.stringContaining(web) }]);

  const push = request("pull_request", "synchronize", { commit: otherCommit });
  const pushed = await runJob("preview.yml", push, withProgram);
  expect(pushed).toMatchObject({ job: "up", status: "success", outputs: { stack: "pr-12" } });
  expect(JSON.parse(pushed.outputs["session-ids"] ?? "")).toEqual(ids);
  expect(emulator.sessions().map(({ labels }) => labels["commit"])).toEqual([otherCommit, otherCommit]);
  expect(forge.comments).toMatchObject([{ number: 12, body: expect.stringContaining(otherCommit.slice(0, 7)) }]);

  // The default branch's checkout may lack the program.
  forge.addRequest(12, "closed");
  const closed = await runJob("preview.yml", request("pull_request_target", "closed"));
  expect(closed).toMatchObject({ job: "down", status: "success" });
  expect(emulator.sessions()).toEqual([]);
  expect(forge.comments).toHaveLength(1);
  expect(forge.comments[0]?.body).not.toContain(web);

  const again = await runJob("preview.yml", request("pull_request_target", "closed"));
  expect(again).toMatchObject({ job: "down", status: "success" });

  const swept = await runJob("preview-sweep.yml", { name: "schedule", payload: {}, repository: "acme/shop" });
  expect(swept).toMatchObject({ job: "sweep", status: "success" });
});

test("an environment whose teardown never ran is swept", async () => {
  const emulator = await startTestEmulator();
  const forge = await startForgeServer();
  forge.addRequest(7);
  const runJob = await createRepository(emulator.url, forge);
  const opened = requestEvent("pull_request", "opened", { number: 7 });
  expect(await runJob("preview.yml", opened, { "index.js": index })).toMatchObject({ status: "success" });
  expect(emulator.sessions()).toHaveLength(2);

  forge.addRequest(7, "closed");
  const byHand = { name: "workflow_dispatch", payload: {}, repository: "acme/shop" };
  const looked = await runJob("preview-sweep.yml", byHand);
  expect(looked.status).toBe("failure");
  expect(looked.printed).toContain("pr-7");
  expect(emulator.sessions()).toHaveLength(2);

  const swept = await runJob("preview-sweep.yml", { ...byHand, name: "schedule" });
  expect(swept.status).toBe("success");
  expect(swept.printed).toContain("::warning::");
  expect(emulator.sessions()).toEqual([]);
});

test("a failed update fails the job, and the environment is cleaned up", async () => {
  const emulator = await startTestEmulator();
  const forge = await startForgeServer();
  forge.addRequest(3);
  const runJob = await createRepository(emulator.url, forge);
  const broken = {
    "index.js": `${program}\nnew AgbSession("broken", { imageId: "agb-code-space-1", labels: { "": "" } });`,
  };
  const failed = await runJob("preview.yml", requestEvent("pull_request", "opened", { number: 3 }), broken);
  expect(failed.status).toBe("failure");
  expect(failed.steps.at(-1)?.command).toBe(commands.recover);
  expect(forge.comments).toHaveLength(1);

  forge.addRequest(3, "closed");
  const closed = await runJob("preview.yml", requestEvent("pull_request_target", "closed", { number: 3 }));
  expect(closed.status).toBe("success");
  expect(emulator.sessions()).toEqual([]);
});

test("a job that is cancelled and killed leaves neither lock nor session behind", async () => {
  const emulator = await startTestEmulator();
  const forge = await startForgeServer();
  forge.addRequest(9);
  const runJob = await createRepository(emulator.url, forge);
  const opened = requestEvent("pull_request", "opened", { number: 9 });
  // The sessions are made, but nobody hears of them.
  const fault = emulator.addFault({ operation: "createSession", when: "after", delayMs: 600_000 });
  const cancelled = await runJob("preview.yml", opened, { "index.js": index }, async () => {
    while (emulator.sessions().length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  expect(cancelled.status).toBe("cancelled");
  expect(cancelled.steps.at(-1)?.command).toBe(commands.recover);
  expect(emulator.sessions()).toEqual([]);

  fault.remove();
  expect(await runJob("preview.yml", opened, { "index.js": index })).toMatchObject({ status: "success" });
  expect(emulator.sessions()).toHaveLength(2);
});

test("drift opens an issue and fails the job until it is gone", async () => {
  const emulator = await startTestEmulator();
  const forge = await startForgeServer();
  forge.addRequest(5);
  const runJob = await createRepository(emulator.url, forge);
  const withProgram = { "index.js": program.replace(/const labels = .*/, 'const labels = { team: "web" };') };
  const opened = requestEvent("pull_request", "opened", { number: 5 });
  expect(await runJob("preview.yml", opened, withProgram)).toMatchObject({ status: "success" });

  // A stack that stays has its own configuration in the repository.
  const configuration = 'config:\n  preview:repository: "github.com/repositories/81"\n';
  const files = { ...withProgram, "Pulumi.pr-5.yaml": configuration };
  const inputs = { stack: "pr-5", directory: "preview" };
  const schedule = { name: "schedule", payload: {}, repository: "acme/shop", isCall: true, inputs };
  expect(await runJob("drift.yml", schedule, files)).toMatchObject({ job: "drift", status: "success" });
  expect(forge.issues).toEqual([]);

  const [session] = emulator.sessions();
  const { sessionId = "", labels = {} } = session ?? {};
  await emulator.setLabels(sessionId, { ...labels, team: "stranger" });
  expect(await runJob("drift.yml", schedule, files)).toMatchObject({ status: "failure" });
  expect(forge.issues).toMatchObject([{ state: "open" }]);

  await emulator.setLabels(sessionId, labels);
  expect(await runJob("drift.yml", schedule, files)).toMatchObject({ status: "success" });
  expect(forge.issues).toMatchObject([{ state: "closed" }]);
});
