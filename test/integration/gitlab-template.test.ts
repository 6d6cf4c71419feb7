// Runs the scripts of the template for GitLab in a POSIX shell, as its runner does, with a fake command.

import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parse } from "yaml";
import { runBounded } from "../support/bounded-process";
import { closeAfterTest } from "../support/close-after-test";
import { type GitlabJob, readGitlabJobs, repositoryDirectory } from "../support/workflow-files";

const { "agb-preview": up, "agb-preview-stop": stop, "agb-preview-sweep": sweep } = readGitlabJobs();
const pushedCommit = "9f3c2e1d4b5a69788796a5b4c3d2e1f0a9b8c7d6";

/** A runner's machine whose `npm ci` installs a `pulumi-agb` that records its folder and arguments. */
async function createMachine() {
  const root = await realpath(await mkdtemp(join(tmpdir(), "pulumi-agb-gitlab-")));
  closeAfterTest({ close: () => rm(root, { recursive: true, force: true }) });
  const calls = join(root, "calls");
  const writeProgram = async (path: string, text: string) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `#!/bin/sh\n${text}`);
    await chmod(path, 0o755);
  };
  await writeFile(calls, "");
  await writeProgram(
    join(root, "pulumi-agb"),
    'echo "$(basename "$(dirname "$PWD")"):" "$@" >> "$CALLS"\n[ "$2" = recover ] || exit "$STATUS"\n',
  );
  await writeProgram(
    join(root, "bin", "npm"),
    '[ "$1" = ci ] && mkdir -p node_modules/.bin && ln -sf "$ROOT/pulumi-agb" node_modules/.bin/pulumi-agb\n',
  );
  const project = join(root, "project");
  await mkdir(join(project, "preview"), { recursive: true });

  const { variables } = parse(await readFile(join(repositoryDirectory, "ci", "gitlab-preview.yml"), "utf8"));
  const environment: Record<string, string> = {
    PATH: [join(root, "bin"), process.env["PATH"]].join(delimiter),
    HOME: root,
    GIT_CONFIG_GLOBAL: join(root, "gitconfig"),
    ROOT: root,
    CALLS: calls,
    STATUS: "0",
    ...Object.fromEntries(Object.entries<{ value: string }>(variables).map(([name, { value }]) => [name, value])),
    AGB_API_KEY: "key",
    CI_PROJECT_DIR: project,
    CI_MERGE_REQUEST_IID: "12",
    CI_COMMIT_SHA: pushedCommit,
    CI_DEFAULT_BRANCH: "trunk",
    CI_REPOSITORY_URL: join(root, "origin"),
  };

  const runScript = (lines: readonly string[] = [], env: Record<string, string>) =>
    runBounded("sh", ["-e", "-c", lines.join("\n")], { directory: project, environment: env, timeoutMs: 60_000 });
  /** Runs a job, then its `after_script` in a separate shell. */
  const runJob = async (job: GitlabJob | undefined, more: Record<string, string> = {}) => {
    const env = { ...environment, ...job?.variables, ...more };
    const result = await runScript([...(job?.before_script ?? []), ...(job?.script ?? [])], env);
    const state = result.exitCode === 0 ? "success" : "failed";
    expect((await runScript(job?.after_script, { ...env, CI_JOB_STATUS: state })).exitCode).toBe(0);
    const noted = (await readFile(calls, "utf8")).trim();
    await writeFile(calls, "");
    return { ...result, calls: noted === "" ? [] : noted.split("\n") };
  };
  return { root, runJob };
}

test("a push creates or updates the environment", async () => {
  const { runJob } = await createMachine();
  const plain = await runJob(up);
  expect(plain.calls).toEqual([`project: preview-environment up --request 12 --commit ${pushedCommit}`]);

  const merged = await runJob(up, {
    CI_COMMIT_SHA: "a commit that nobody pushed",
    CI_MERGE_REQUEST_SOURCE_BRANCH_SHA: pushedCommit,
    AGB_PREVIEW_ORGANIZATION: "acme",
    AGB_PREVIEW_SECRETS_PROVIDER: "passphrase",
    AGB_PREVIEW_HEALTH_TIMEOUT: "90s",
  });
  expect(merged.calls).toEqual([
    `${plain.calls[0]} --organization acme --secrets-provider passphrase --health-timeout 90s`,
  ]);
});

test("the lock is freed after a failure", async () => {
  const { runJob } = await createMachine();
  const failed = await runJob(up, { STATUS: "1" });
  expect(failed.exitCode).toBe(1);
  expect(failed.calls.slice(1)).toEqual(["project: preview-environment recover --request 12"]);
});

test("the stop uses the default branch, and ignores what is left in the runner's folder", async () => {
  const { root, runJob } = await createMachine();
  const origin = join(root, "origin");
  const git = (...parameters: string[]) =>
    execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@example.com", ...parameters], { cwd: origin });
  await mkdir(join(origin, "preview"), { recursive: true });
  await writeFile(join(origin, "preview", "Pulumi.yaml"), "name: shop\n");
  git("init", "--quiet", "--initial-branch", "trunk");
  git("add", ".");
  git("commit", "--quiet", "--message", "Start");
  await rm(join(root, "project", "preview"), { recursive: true });

  const expected = [".agb-preview-checkout: preview-environment down --request 12"];
  expect((await runJob(stop)).calls).toEqual(expected);
  // The first job's checkout is still there.
  expect((await runJob(stop)).calls).toEqual(expected);
  const failed = await runJob(stop, { STATUS: "1", AGB_PREVIEW_ORGANIZATION: "acme" });
  expect(failed.exitCode).toBe(1);
  expect(failed.calls).toEqual([
    `${expected[0]} --organization acme`,
    ".agb-preview-checkout: preview-environment recover --request 12 --organization acme",
  ]);
});

test("the sweep removes only when told to", async () => {
  const { runJob } = await createMachine();
  expect((await runJob(sweep, { AGB_PREVIEW_SWEEP: "look" })).calls).toEqual(["project: preview-environment sweep"]);
  expect((await runJob(sweep, { AGB_PREVIEW_SWEEP: "yes" })).calls).toEqual([
    "project: preview-environment sweep --yes",
  ]);
  expect((await runJob(sweep, { AGB_PREVIEW_SWEEP: "yes", AGB_PREVIEW_IDLE_DAYS: "7" })).calls).toEqual([
    "project: preview-environment sweep --yes --idle-days 7",
  ]);
});

test.each([
  ["up", up],
  ["stop", stop],
  ["sweep", sweep],
])("without the key %s fails immediately and says where to put it", async (_, job) => {
  const { runJob } = await createMachine();
  const result = await runJob(job, { AGB_API_KEY: "" });
  expect(result).toMatchObject({ exitCode: 1, calls: [], stdout: expect.stringContaining("AGB_API_KEY is missing.") });
});
