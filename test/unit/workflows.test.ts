import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { readPinnedVersion } from "../../tools/pulumi-cli/pinned-version";
import { testedCommands } from "../support/workflow-commands";
import {
  readGitlabJobs,
  readWorkflow,
  readWorkflowText,
  repositoryDirectory,
  type Workflow,
  workflowNames,
} from "../support/workflow-files";
import { pinnedAction } from "../support/workflow-job";

const workflows = workflowNames().map((name) => ({ name, workflow: readWorkflow(name), text: readWorkflowText(name) }));
const jobs = workflows.flatMap(({ name: file, workflow }) =>
  Object.entries(workflow.jobs).map(([name, job]) => ({ name: `${file}: ${name}`, job, workflow })),
);
const steps = jobs.flatMap(({ name, job, workflow }) => (job.steps ?? []).map((step) => ({ name, step, workflow })));

test.each(workflows)("$name pins every action by commit and says its version", ({ text }) => {
  const uses = text.split("\n").filter((line) => /^[\s-]*uses:/.test(line));
  expect(uses.length).toBeGreaterThan(0);
  for (const line of uses.filter((each) => !each.includes("uses: ./"))) {
    expect(line).toMatch(/uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  }
});

test("one action has one commit in all files", () => {
  const uses = new Set(steps.flatMap(({ step }) => step.uses ?? []));
  expect([...uses].filter((each) => !pinnedAction.test(each))).toEqual([]);
  const names = [...uses].map((each) => each.split("@")[0]);
  expect(names).toEqual([...new Set(names)]);
});

test.each(workflows)("$name gives no permission to all jobs", ({ workflow }) => {
  expect(workflow.permissions).toEqual({});
});

test.each(jobs)("$name says its permissions and its longest time", ({ job }) => {
  expect(job.permissions).toBeDefined();
  // A job that calls a workflow cannot have a time limit; the called jobs do.
  expect(job.uses !== undefined || Number(job["timeout-minutes"]) > 0).toBe(true);
});

test("a job's time leaves room for its steps, and for freeing the lock after them", () => {
  for (const { job } of jobs) {
    const limits = (job.steps ?? []).map((step) => step["timeout-minutes"] ?? 0);
    expect(limits.reduce((sum, minutes) => sum + minutes, 0)).toBeLessThan(job["timeout-minutes"] ?? Infinity);
  }
});

test("no command contains an expression, which a title or a branch name could end", () => {
  expect(steps.filter(({ step }) => step.run?.includes("${{")).map(({ name }) => name)).toEqual([]);
});

test("every command is one that is tested", () => {
  const known = new Set(testedCommands.map(({ command }) => command));
  expect(steps.flatMap(({ step }) => step.run ?? []).filter((command) => !known.has(command))).toEqual([]);
  for (const { shownBy } of testedCommands) {
    expect(existsSync(join(repositoryDirectory, shownBy))).toBe(true);
  }
});

test("checkouts keep no credentials, and none asks for a commit", () => {
  const checkouts = steps.filter(({ step }) => step.uses?.startsWith("actions/checkout@"));
  expect(checkouts.length).toBeGreaterThan(5);
  for (const { step } of checkouts) {
    expect(step.with).toMatchObject({ "persist-credentials": false });
    expect(step.with).not.toHaveProperty("ref");
    expect(step.with).not.toHaveProperty("repository");
  }
});

test("no event of a preview has a filter that could hide a closed request", () => {
  const { on } = readWorkflow("preview.yml");
  for (const name of ["pull_request", "pull_request_target"]) {
    expect(Object.keys(on[name] ?? {})).toEqual(["types"]);
  }
  expect(on["pull_request_target"]?.types).toContain("closed");
});

test("no run of a request's group is ended by another", () => {
  const { up, down } = readWorkflow("preview.yml").jobs;
  expect(up?.concurrency).toEqual(down?.concurrency);
  expect(up?.concurrency?.["cancel-in-progress"]).toBe(false);
  // A group of the whole workflow would hold skipped runs too, and those would push out a waiting teardown.
  expect(readWorkflow("preview.yml")).not.toHaveProperty("concurrency");
});

test("everything that is used is declared for callers, so that both forms see the same", () => {
  for (const { workflow, text } of workflows) {
    const call = workflow.on["workflow_call"];
    const used = (context: string) =>
      new Set([...text.matchAll(new RegExp(`\\b${context}\\.([\\w-]+)`, "g"))].map(([, name]) => name));
    if (call?.inputs !== undefined) {
      expect(used("inputs")).toEqual(new Set(Object.keys(call.inputs)));
      expect(used("secrets")).toEqual(new Set(Object.keys(call.secrets ?? {})));
    }
  }
});

test("the calling form at the top of preview.yml starts it for the same events with enough permissions", () => {
  const comment = readWorkflowText("preview.yml")
    .split("\n")
    .filter((line) => line.startsWith("#   "))
    .map((line) => line.slice(4));
  const caller: Workflow & { permissions: Record<string, string> } = parse(comment.join("\n"));
  const { on, jobs: called } = readWorkflow("preview.yml");
  for (const name of ["pull_request", "pull_request_target"]) {
    expect(caller.on[name]).toEqual(on[name]);
  }
  expect(caller.on["workflow_dispatch"]?.inputs).toHaveProperty("request.required", true);
  for (const { permissions = {} } of Object.values(called)) {
    expect(caller.permissions).toMatchObject(permissions);
  }
});

test("the files for users are in the package", () => {
  const { files } = JSON.parse(readFileSync(join(repositoryDirectory, "package.json"), "utf8"));
  const names = ["preview.yml", "preview-sweep.yml", "drift.yml"].map((name) => `.github/workflows/${name}`);
  expect(files).toEqual(expect.arrayContaining([...names, "ci/gitlab-preview.yml"]));
});

test("the pinned Pulumi is the one that the tests use", () => {
  const version = readPinnedVersion();
  for (const { name, text } of workflows.filter(({ text }) => text.includes("pulumi/actions@"))) {
    expect([name, /pulumi-version: .*?(\d+\.\d+\.\d+)/.exec(text)?.[1]]).toEqual([name, version]);
  }
});

describe("the template for GitLab", () => {
  const { "agb-preview": up, "agb-preview-stop": stop, "agb-preview-sweep": sweep } = readGitlabJobs();

  test("stops what it creates: same environment, same rules, one at a time", () => {
    expect(up?.environment).toMatchObject({ name: stop?.environment?.["name"], on_stop: "agb-preview-stop" });
    expect(up?.environment).toHaveProperty("auto_stop_in");
    expect(stop?.environment).toMatchObject({ action: "stop" });
    expect(stop?.rules).toEqual(up?.rules?.map((rule) => ({ ...rule, when: "manual", allow_failure: true })));
    expect(stop?.resource_group).toBe(up?.resource_group);
    expect(up?.resource_group).toContain("$CI_MERGE_REQUEST_IID");
  });

  test("leaves the request's branch alone when it stops", () => {
    expect(stop?.variables).toMatchObject({ GIT_STRATEGY: "none" });
    expect(stop?.before_script?.join("\n")).toContain('--branch "$CI_DEFAULT_BRANCH"');
  });

  test("is never interrupted, has a time limit, and frees the lock afterwards", () => {
    for (const job of [up, stop, sweep]) {
      expect(job).toMatchObject({ interruptible: false, timeout: expect.stringMatching(/minutes/) });
    }
    for (const job of [up, stop]) {
      expect(job?.after_script?.join("\n")).toContain("preview-environment recover --request");
    }
  });
});
