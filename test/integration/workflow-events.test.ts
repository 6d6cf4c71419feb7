// Which jobs of the workflow files run for which event, with which commands and what they see. GitHub's own library
// evaluates the expressions, and bash runs the commands.

import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BashStepResult, Runner } from "../support/bash-step";
import { closeAfterTest } from "../support/close-after-test";
import { ExpressionEvaluator } from "../support/expression-evaluator";
import { dispatchEvent, headCommit, repository, requestEvent, secrets } from "../support/request-events";
import { commands } from "../support/workflow-commands";
import { readWorkflow } from "../support/workflow-files";
import { type PreparedStep, type StepResult, type WorkflowEvent, WorkflowRun } from "../support/workflow-job";

let evaluator: ExpressionEvaluator;

beforeAll(() => {
  evaluator = new ExpressionEvaluator();
});

afterAll(() => evaluator.close());

const success = async (): Promise<StepResult> => ({ outcome: "success" });

/** The commands of each job that runs. */
async function commandsOf(file: string, event: WorkflowEvent, runStep = (_: PreparedStep) => success()) {
  const run = new WorkflowRun(readWorkflow(file), event, evaluator);
  const jobs: Record<string, readonly string[]> = {};
  for (const name of await run.startedJobs()) {
    const { steps } = await run.runJob(name, runStep);
    jobs[name] = steps.map(({ command }) => command);
  }
  return jobs;
}

const up = { up: [commands.checkKey, commands.install, commands.up] };
const down = { down: [commands.checkKey, commands.install, commands.down] };
const notice = { "fork-notice": [commands.forkNotice] };
const nothing = {};
const request = (...parameters: Parameters<typeof requestEvent>) => requestEvent(...parameters);
const fork = { isFork: true };
const labelled = { isFork: true, labels: ["agb-preview"] };

describe("preview.yml", () => {
  const rows: [string, WorkflowEvent, Record<string, readonly string[]>][] = [
    ["own request, opened", request("pull_request", "opened"), up],
    ["own request, pushed to", request("pull_request", "synchronize"), up],
    ["own request, reopened", request("pull_request", "reopened"), up],
    ["own request, edited", request("pull_request", "edited"), nothing],
    ["own request, pushed to, as seen by the target", request("pull_request_target", "synchronize"), nothing],
    ["own request, reopened, as seen by the target", request("pull_request_target", "reopened"), nothing],
    ["own request, closed", request("pull_request_target", "closed"), down],
    ["own request, label set", request("pull_request_target", "labeled", { label: "agb-preview" }), nothing],
    ["own request, label removed", request("pull_request_target", "unlabeled", { label: "agb-preview" }), nothing],
    ["fork's request, opened", request("pull_request", "opened", fork), notice],
    ["fork's request, pushed to", request("pull_request", "synchronize", fork), notice],
    ["fork's request with the label, pushed to", request("pull_request", "synchronize", labelled), nothing],
    ["fork's request, pushed to, target", request("pull_request_target", "synchronize", fork), nothing],
    ["fork's request with the label, pushed to, target", request("pull_request_target", "synchronize", labelled), up],
    ["fork's request with the label, reopened, target", request("pull_request_target", "reopened", labelled), up],
    ["fork's request, label set", request("pull_request_target", "labeled", { ...labelled, label: "agb-preview" }), up],
    [
      "fork's request, another label set",
      request("pull_request_target", "labeled", { ...fork, label: "bug" }),
      nothing,
    ],
    [
      "fork's request with the label, another label set",
      request("pull_request_target", "labeled", { ...labelled, label: "bug" }),
      nothing,
    ],
    [
      "fork's closed request, label set",
      request("pull_request_target", "labeled", { ...labelled, label: "agb-preview", isClosed: true }),
      nothing,
    ],
    [
      "fork's request, label taken off",
      request("pull_request_target", "unlabeled", { ...fork, label: "agb-preview" }),
      down,
    ],
    [
      "fork's request, another label taken off",
      request("pull_request_target", "unlabeled", { ...labelled, label: "bug" }),
      nothing,
    ],
    ["fork's request, closed", request("pull_request_target", "closed", fork), down],
    ["fork's request with the label, closed", request("pull_request_target", "closed", labelled), down],
    ["request of a fork that is gone, closed", request("pull_request_target", "closed", { isForkGone: true }), down],
    [
      "request of a fork that is gone, reopened",
      request("pull_request", "reopened", { ...fork, isForkGone: true }),
      notice,
    ],
    ["teardown by hand", dispatchEvent("12"), down],
    ["a push", { name: "push", repository, payload: {}, secrets }, nothing],
  ];

  test.each(rows)("%s", async (_, event, expected) => {
    expect(await commandsOf("preview.yml", event)).toEqual(expected);
  });

  test.each(rows)("%s, in a called workflow", async (_, event, expected) => {
    const asCall = { ...event, isCall: true, inputs: { directory: "infrastructure", ...event.inputs } };
    expect(await commandsOf("preview.yml", asCall)).toEqual(expected);
  });

  test("a caller with its closed events in pull_request works, except for forks", async () => {
    const call = (event: WorkflowEvent) => commandsOf("preview.yml", { ...event, isCall: true });
    expect(await call(request("pull_request", "closed"))).toEqual(down);
    expect(await call(request("pull_request", "closed", fork))).toEqual(nothing);
  });

  test("pulumi-agb's own repository has no preview environment unless it asks for one", async () => {
    const own = { repository: "acme/pulumi-agb" };
    const payload = JSON.parse(
      JSON.stringify(request("pull_request", "opened").payload).replaceAll(repository, own.repository),
    );
    const opened = { ...request("pull_request", "opened"), ...own, payload };
    expect(await commandsOf("preview.yml", opened)).toEqual(nothing);
    expect(await commandsOf("preview.yml", { ...opened, vars: { AGB_PREVIEW_DIRECTORY: "examples/x" } })).toEqual(up);
    expect(await commandsOf("preview.yml", { ...dispatchEvent("1"), ...own })).toEqual(nothing);
    expect(await commandsOf("preview-sweep.yml", { ...dispatchEvent("1"), ...own, inputs: {} })).toEqual(nothing);
    expect(await commandsOf("drift.yml", { ...dispatchEvent("1"), ...own, inputs: {} })).toEqual(nothing);
  });

  test("jobs of one request and one folder wait for each other, others do not", async () => {
    const group = (job: string, event: WorkflowEvent) =>
      new WorkflowRun(readWorkflow("preview.yml"), event, evaluator).concurrencyGroup(job);
    const opened = request("pull_request", "opened");
    expect(await group("up", opened)).toBe("agb-preview-preview-12");
    expect(await group("down", request("pull_request_target", "closed"))).toBe("agb-preview-preview-12");
    expect(await group("down", dispatchEvent("12"))).toBe("agb-preview-preview-12");
    expect(await group("up", request("pull_request", "opened", { number: 13 }))).toBe("agb-preview-preview-13");
    expect(await group("up", { ...opened, isCall: true, inputs: { directory: "infra" } })).toBe("agb-preview-infra-12");
    expect(await group("up", { ...opened, vars: { AGB_PREVIEW_DIRECTORY: "web" } })).toBe("agb-preview-web-12");
    expect(await group("fork-notice", opened)).toBeUndefined();
  });

  /** Everything that any step of the run sees. */
  async function environmentOf(event: WorkflowEvent) {
    const run = new WorkflowRun(readWorkflow("preview.yml"), event, evaluator);
    const environments: Record<string, Readonly<Record<string, string>>> = {};
    for (const name of await run.startedJobs()) {
      const { steps } = await run.runJob(name, success);
      for (const { command, environment } of steps) {
        environments[command] = environment;
      }
    }
    return environments;
  }

  test("only the steps that need secrets get them", async () => {
    const environments = await environmentOf(request("pull_request", "opened"));
    expect(environments[commands.up]).toMatchObject({
      ...secrets,
      GITHUB_TOKEN: "the-job-token",
      REQUEST: "12",
      COMMIT: headCommit,
      DIRECTORY: "preview",
      PULUMI_CONFIG_PASSPHRASE: "",
    });
    const secretTexts = [...Object.values(secrets), "the-job-token"];
    expect(Object.values(environments[commands.install] ?? {}).filter((text) => secretTexts.includes(text))).toEqual(
      [],
    );
    expect(environments[commands.checkKey]).toMatchObject({ AGB_API_KEY: secrets.AGB_API_KEY });
    expect(environments[commands.checkKey]).not.toHaveProperty("PULUMI_ACCESS_TOKEN");
  });

  test("a fork's own run sees neither secrets nor the token", async () => {
    const environments = await environmentOf(request("pull_request", "opened", fork));
    expect(Object.keys(environments)).toEqual([commands.forkNotice]);
    expect(environments[commands.forkNotice]).toEqual({
      DIRECTORY: "preview",
      REQUEST: "12",
      ORGANIZATION: "",
      SECRETS_PROVIDER: "",
      HEALTH_TIMEOUT: "",
    });
  });

  test("a manual teardown takes its number from the input, and a call takes its settings", async () => {
    expect((await environmentOf(dispatchEvent("77")))[commands.down]).toMatchObject({ REQUEST: "77" });
    const inputs = { request: "78", organization: "acme", "backend-url": "s3://state" };
    const call = { ...dispatchEvent("78"), isCall: true, inputs, vars: { AGB_PREVIEW_ORGANIZATION: "other" } };
    expect((await environmentOf(call))[commands.down]).toMatchObject({
      REQUEST: "78",
      ORGANIZATION: "acme",
      PULUMI_BACKEND_URL: "s3://state",
    });
  });

  test.each([
    ["failure", "up", request("pull_request", "opened"), commands.up],
    ["cancelled", "up", request("pull_request", "opened"), commands.up],
    ["failure", "down", request("pull_request_target", "closed"), commands.down],
    ["cancelled", "down", request("pull_request_target", "closed"), commands.down],
  ] as const)("after a %s of %s the lock is freed", async (outcome, job, event, failing) => {
    const run = new WorkflowRun(readWorkflow("preview.yml"), event, evaluator);
    const result = await run.runJob(job, async ({ command }) => ({
      outcome: command === failing ? outcome : "success",
    }));
    expect(result.status).toBe(outcome);
    expect(result.steps.at(-1)?.command).toBe(commands.recover);
  });

  test.each(["failure", "cancelled"] as const)("a %s before Pulumi was started frees nothing", async (outcome) => {
    const run = new WorkflowRun(readWorkflow("preview.yml"), request("pull_request", "opened"), evaluator);
    const result = await run.runJob("up", async ({ command }) => ({
      outcome: command === commands.install ? outcome : "success",
    }));
    expect(result.steps.map(({ command }) => command)).toEqual([commands.checkKey, commands.install]);
  });

  test("stack and session ids are outputs of the job", async () => {
    const run = new WorkflowRun(readWorkflow("preview.yml"), request("pull_request", "opened"), evaluator);
    const outputs = { stack: "pr-12", "session-ids": '{"web":"session-1"}' };
    const result = await run.runJob("up", async ({ id }) => ({
      outcome: "success",
      ...(id === "up" ? { outputs } : {}),
    }));
    expect(result.outputs).toEqual(outputs);
  });
});

describe("preview-sweep.yml", () => {
  const schedule = { name: "schedule", repository, payload: { schedule: "17 3 * * *" }, secrets };
  const before = [commands.checkKey, commands.install];

  test("removes on schedule and in a call, and only reports when started by hand", async () => {
    const jobs = (event: WorkflowEvent) => commandsOf("preview-sweep.yml", event);
    expect(await jobs(schedule)).toEqual({ sweep: [...before, commands.sweep] });
    expect(await jobs({ ...schedule, isCall: true })).toEqual({ sweep: [...before, commands.sweep] });
    const byHand = { ...schedule, name: "workflow_dispatch" };
    expect(await jobs(byHand)).toEqual({ sweep: [...before, commands.lookForLeftovers] });
    expect(await jobs({ ...byHand, inputs: { "dry-run": false } })).toEqual({ sweep: [...before, commands.sweep] });
  });
});

describe("drift.yml", () => {
  test("checks the stack of the input, or else of the variable", async () => {
    const stacks: string[] = [];
    const look = (event: Partial<WorkflowEvent>) =>
      commandsOf("drift.yml", { name: "schedule", repository, payload: {}, secrets, ...event }, async (step) => {
        if (step.command === commands.drift) {
          stacks.push(`${step.environment["STACK"]} in ${step.workingDirectory}`);
        }
        return { outcome: "success" };
      });
    const expected = { drift: [commands.checkKey, commands.checkStack, commands.install, commands.drift] };
    expect(await look({ vars: { AGB_DRIFT_STACK: "prod" } })).toEqual(expected);
    expect(await look({ isCall: true, inputs: { stack: "dev", directory: "infra" } })).toEqual(expected);
    expect(stacks).toEqual(["prod in .", "dev in infra"]);
  });
});

describe("the commands, run by bash", () => {
  const stub = `#!/usr/bin/env bash
printf '%s\\n' "$@"
echo "child of $PPID" >&2
echo "stack=pr-12" >> "$GITHUB_OUTPUT"
exit "\${STUB_EXIT_CODE:-0}"
`;

  async function runJob(file: string, event: WorkflowEvent, environment: NodeJS.ProcessEnv = {}) {
    const runner = closeAfterTest(await Runner.create({ PATH: process.env["PATH"], ...environment }));
    for (const folder of ["preview", "."]) {
      const bin = join(runner.workspace, folder, "node_modules", ".bin");
      await mkdir(bin, { recursive: true });
      await writeFile(join(bin, "pulumi-agb"), stub);
      await chmod(join(bin, "pulumi-agb"), 0o755);
    }
    const run = new WorkflowRun(readWorkflow(file), event, evaluator);
    const [job = ""] = await run.startedJobs();
    const results: Record<string, BashStepResult> = {};
    const result = await run.runJob(job, async (step) => {
      if (step.command === commands.install) {
        return { outcome: "success" };
      }
      const ended = await runner.run(step);
      results[step.command] = ended;
      return ended;
    });
    const wordsOf = (command: string) => results[command]?.stdout.trimEnd().split("\n");
    return { ...result, results, wordsOf, runner };
  }

  test("up and down pass number, commit and settings to the command, as one word each", async () => {
    const opened = request("pull_request", "opened");
    const plain = await runJob("preview.yml", opened);
    expect(plain.wordsOf(commands.up)).toEqual([
      "preview-environment",
      "up",
      "--request",
      "12",
      "--commit",
      headCommit,
    ]);
    expect(plain).toMatchObject({ status: "success", outputs: { stack: "pr-12" } });

    const vars = {
      AGB_PREVIEW_ORGANIZATION: "two words",
      AGB_PREVIEW_SECRETS_PROVIDER: "awskms://alias/x?region=y",
      AGB_PREVIEW_HEALTH_TIMEOUT: "90s",
    };
    const set = await runJob("preview.yml", { ...opened, vars });
    expect(set.wordsOf(commands.up)?.slice(6)).toEqual([
      "--organization",
      "two words",
      "--secrets-provider",
      "awskms://alias/x?region=y",
      "--health-timeout",
      "90s",
    ]);
    const closed = await runJob("preview.yml", { ...request("pull_request_target", "closed"), vars });
    expect(closed.wordsOf(commands.down)).toEqual([
      "preview-environment",
      "down",
      "--request",
      "12",
      "--organization",
      "two words",
    ]);
  });

  test("the command replaces its shell, so signals reach it", async () => {
    const { results } = await runJob("preview.yml", request("pull_request", "opened"));
    expect(results[commands.up]?.stderr).toBe(`child of ${process.pid}\n`);
  });

  test("a command that fails fails the job, and the lock is freed", async () => {
    const failed = await runJob("preview.yml", request("pull_request", "opened"), { STUB_EXIT_CODE: "1" });
    expect(failed.status).toBe("failure");
    expect(failed.wordsOf(commands.recover)).toEqual(["preview-environment", "recover", "--request", "12"]);
  });

  test("a string that means something to a shell stays a string", async () => {
    const hostile = await runJob("preview.yml", dispatchEvent('1"; touch pwned; $(touch pwned) #'));
    expect(hostile.wordsOf(commands.down)).toContain('1"; touch pwned; $(touch pwned) #');
  });

  test("without the key the job fails immediately and says where to put it", async () => {
    const withoutKey = { ...request("pull_request", "opened"), secrets: {} };
    const { status, steps, results } = await runJob("preview.yml", withoutKey);
    expect(status).toBe("failure");
    expect(steps.map(({ command }) => command)).toEqual([commands.checkKey]);
    expect(results[commands.checkKey]?.stdout).toMatch(
      /^::error title=The secret AGB_API_KEY is missing::Add it under /,
    );
  });

  test("a fork's request gets a notice and a line in the summary", async () => {
    const { results, runner } = await runJob("preview.yml", request("pull_request", "opened", fork));
    expect(results[commands.forkNotice]?.stdout).toMatch(/^::notice title=.*::This request comes from a fork/);
    expect(await runner.summary()).toMatch(/^This request comes from a fork .* label agb-preview\.\n$/);
  });

  test("the sweep and the drift check pass their settings to the command", async () => {
    const byHand = { name: "workflow_dispatch", repository, payload: {}, secrets };
    const vars = { AGB_PREVIEW_IDLE_DAYS: "3", AGB_DRIFT_STACK: "prod" };
    const look = await runJob("preview-sweep.yml", { ...byHand, vars });
    expect(look.wordsOf(commands.lookForLeftovers)).toEqual(["preview-environment", "sweep", "--idle-days", "3"]);
    const sweep = await runJob("preview-sweep.yml", { ...byHand, inputs: { "dry-run": false } });
    expect(sweep.wordsOf(commands.sweep)).toEqual(["preview-environment", "sweep", "--yes"]);

    const drift = await runJob("drift.yml", { ...byHand, vars });
    expect(drift.wordsOf(commands.drift)).toEqual(["drift", "--stack", "prod"]);
    const noStack = await runJob("drift.yml", byHand);
    expect(noStack.status).toBe("failure");
    expect(noStack.results[commands.checkStack]?.stdout).toContain("::error title=No stack to check::");
  });
});
