import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { archiveName, nodePlatform } from "../../tools/plugin/archives";
import { chooseDownloadUrl } from "../../tools/plugin/download-url";
import { pulumiPlatform } from "../../tools/plugin/platform";
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

test.each(workflows)("$name pins every action by commit and names its version", ({ text }) => {
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

test.each(jobs)("$name declares its permissions and its time limit", ({ job }) => {
  expect(job.permissions).toBeDefined();
  // A job that calls a workflow cannot have a time limit; the called jobs do.
  expect(job.uses !== undefined || Number(job["timeout-minutes"]) > 0).toBe(true);
});

test("a job's time limit leaves room for its steps and for freeing the lock after them", () => {
  for (const { job } of jobs) {
    const limits = (job.steps ?? []).map((step) => step["timeout-minutes"] ?? 0);
    expect(limits.reduce((sum, minutes) => sum + minutes, 0)).toBeLessThan(job["timeout-minutes"] ?? Infinity);
  }
});

test("no command contains an expression, which a title or a branch name could end", () => {
  expect(steps.filter(({ step }) => step.run?.includes("${{")).map(({ name }) => name)).toEqual([]);
});

test("every command is tested", () => {
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

test("no run of a request's group cancels another", () => {
  const { up, down } = readWorkflow("preview.yml").jobs;
  expect(up?.concurrency).toEqual(down?.concurrency);
  expect(up?.concurrency?.["cancel-in-progress"]).toBe(false);
  // A group of the whole workflow would include skipped runs, and those would replace a waiting teardown.
  expect(readWorkflow("preview.yml")).not.toHaveProperty("concurrency");
});

test("everything that is used is declared for callers, so both forms see the same", () => {
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

test("the calling workflow at the top of preview.yml starts it for the same events with enough permissions", () => {
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

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are GitHub's
describe("the release of the native plugin", () => {
  const { release, plugin, attach } = readWorkflow("release.yml").jobs;
  const built = (plugin?.strategy?.matrix.include ?? []).map(({ platform = "", system = "" }) => ({
    platform,
    system,
  }));

  test("builds the archive of each platform on that platform, and the one that needs Node", () => {
    const platforms = ["linux", "darwin", "win32"].flatMap((system) =>
      ["x64", "arm64"].map((architecture) => pulumiPlatform(system, architecture)),
    );
    expect(built.map(({ platform }) => platform)).toEqual([nodePlatform, ...platforms]);
    const names: Record<string, string> = { linux: "ubuntu", darwin: "macos", windows: "windows", node: "ubuntu" };
    for (const { platform, system } of built) {
      expect(system.split("-")[0]).toBe(names[platform.split("-")[0] ?? ""]);
    }
  });

  test("keeps exactly the archives that it attaches", () => {
    const upload = plugin?.steps?.find(({ uses }) => uses?.startsWith("actions/upload-artifact@"))?.with;
    const download = attach?.steps?.find(({ uses }) => uses?.startsWith("actions/download-artifact@"))?.with;
    expect(upload).toMatchObject({ name: "plugin-${{ matrix.platform }}", "if-no-files-found": "error" });
    expect(download).toMatchObject({ pattern: "plugin-*", "merge-multiple": true });
    const archives = [nodePlatform, pulumiPlatform()].map(
      (platform) => `dist-plugin/${archiveName("0.1.0", platform)}`,
    );
    const kept = built.map(({ platform }) => {
      const [start = "", end = ""] = String(upload?.["path"]).replace("${{ matrix.platform }}", platform).split("*");
      return archives.filter((path) => path.startsWith(start) && path.endsWith(end));
    });
    // No artifact has a file of another one: the download would write it twice.
    expect(kept.flat()).toEqual(archives);
  });

  test("names the repository's own releases as the address for downloads", () => {
    const address = plugin?.steps?.find(({ run }) => run === "npm run package:plugin")?.env?.[
      "AGB_PLUGIN_DOWNLOAD_URL"
    ];
    const used = address?.replace("${{ github.repository }}", "owner/name");
    expect(chooseDownloadUrl(used)).toBe(chooseDownloadUrl(undefined, "https://github.com/owner/name"));
  });

  test("happens after npm has the version, and writes only in the last job", () => {
    expect(plugin).toMatchObject({ needs: "release", permissions: { contents: "read" } });
    expect(attach).toMatchObject({ needs: ["release", "plugin"], permissions: { contents: "write" } });
    expect(release?.outputs).toMatchObject({ packages: "${{ steps.changesets.outputs.publishedPackages }}" });
    expect(attach?.env).toEqual({ TAG: "v${{ fromJSON(needs.release.outputs.packages)[0].version }}" });
  });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: these are GitHub's

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

  test("does not use the request's branch when it stops", () => {
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
