// Lints the workflow files, the scripts of CI and the launcher of the native plugin. actionlint and shellcheck find mistakes, zizmor finds security problems.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findLinterTools, installLinters, type Linters } from "../support/linters";
import { readGitlabJobs, readWorkflow, repositoryDirectory, workflowNames } from "../support/workflow-files";

const tools = findLinterTools();
if (typeof tools === "string") {
  if (process.env["CI"]) {
    throw new Error(`The workflow files cannot be linted: ${tools}.`);
  }
  process.stderr.write(`\n*** Linting of workflow files SKIPPED: ${tools}. ***\n\n`);
}
const testWithLinters = typeof tools === "string" ? test.skip : test;
let linters: Linters;

beforeAll(async () => {
  if (typeof tools !== "string") {
    linters = await installLinters(tools);
  }
}, 900_000);

function actionlint(parameters: readonly string[], directory: string): string {
  const all = ["-no-color", "-shellcheck", linters.shellcheck, "-pyflakes", "", ...parameters];
  const { status, stdout, stderr, error } = spawnSync(linters.actionlint, all, { cwd: directory, encoding: "utf8" });
  // 1 means that there are findings.
  if (status !== 0 && status !== 1) {
    throw new Error(`actionlint failed: ${error ?? stderr}`);
  }
  return stdout;
}

/**
 * Returns the findings of zizmor's default persona, of any severity. The stricter personas report matters of taste. Runs
 * offline: otherwise a new version of an action could fail this test overnight.
 */
function zizmor(files: readonly string[], directory: string): string {
  const options = [
    "--offline",
    "--no-config",
    "--persona",
    "regular",
    "--strict-collection",
    "--quiet",
    "--color",
    "never",
  ];
  const { status, stdout, stderr, error } = spawnSync(linters.zizmor, [...options, ...files], {
    cwd: directory,
    encoding: "utf8",
    // zizmor's own variables could change what it finds.
    env: {},
  });
  // 11 to 14 mean that there are findings. The code depends on the highest severity.
  if (status !== 0 && (status === null || status < 11 || status > 14)) {
    throw new Error(`zizmor failed: ${error ?? stderr}`);
  }
  return status === 0 ? "" : stdout;
}

/** Returns what shellcheck and the shell itself say about a script. */
function lintScript(script: string, dialect: "bash" | "sh"): string {
  const options = { input: script, encoding: "utf8" } as const;
  const check = spawnSync(linters.shellcheck, ["--shell", dialect, "--format", "gcc", "-"], options);
  if (check.status !== 0 && check.status !== 1) {
    throw new Error(`shellcheck failed: ${check.error ?? check.stderr}`);
  }
  const syntax = spawnSync("bash", [...(dialect === "sh" ? ["--posix"] : []), "-n"], options);
  return `${check.stdout}${syntax.stderr}`;
}

testWithLinters("actionlint finds no mistake in the workflow files", () => {
  const files = workflowNames().map((name) => join(".github", "workflows", name));
  expect(files.length).toBeGreaterThan(4);
  expect(actionlint(files, repositoryDirectory)).toBe("");
});

testWithLinters("zizmor finds no security problem in the workflow files and in Dependabot's settings", () => {
  const files = workflowNames().map((name) => join(".github", "workflows", name));
  expect(zizmor([...files, join(".github", "dependabot.yml")], repositoryDirectory)).toBe("");
});

testWithLinters("shellcheck finds no mistake in the scripts of CI", () => {
  expect(lintScript(readFileSync(join(repositoryDirectory, ".ci", "run"), "utf8"), "bash")).toBe("");
  const runs = workflowNames().flatMap((name) =>
    Object.values(readWorkflow(name).jobs).flatMap(({ steps = [] }) => steps),
  );
  const findings = runs.flatMap(({ run = "" }) => lintScript(`#!/bin/bash\n${run}\n`, "bash"));
  expect(findings.filter((text) => text !== "")).toEqual([]);
});

testWithLinters("shellcheck finds no mistake in what starts the native plugin, for any POSIX shell", () => {
  const launcher = join(repositoryDirectory, "tools", "plugin", "launcher", "pulumi-resource-agb");
  expect(lintScript(readFileSync(launcher, "utf8"), "sh")).toBe("");
});

testWithLinters("shellcheck finds no mistake in GitLab's scripts, for any POSIX shell", () => {
  for (const { before_script = [], script = [], after_script = [] } of Object.values(readGitlabJobs())) {
    // GitLab's runner stops at the first command that fails. It runs `after_script` in a separate shell.
    expect(lintScript(["set -e", ...before_script, ...script].join("\n"), "sh")).toBe("");
    expect(lintScript(["set -e", ...after_script].join("\n"), "sh")).toBe("");
  }
});
