// actionlint, with shellcheck for the shell inside, on all workflow files; shellcheck and bash on the other scripts of CI.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeAfterTest } from "../support/close-after-test";
import { findLinterTools, installLinters, type Linters } from "../support/linters";
import {
  readGitlabJobs,
  readWorkflow,
  readWorkflowText,
  repositoryDirectory,
  workflowNames,
} from "../support/workflow-files";

const tools = findLinterTools();
if (typeof tools === "string") {
  if (process.env["CI"]) {
    throw new Error(`The workflow files cannot be checked here: ${tools}.`);
  }
  process.stderr.write(`\n*** Checks of workflow files SKIPPED: ${tools}. ***\n\n`);
}
const testWithLinters = typeof tools === "string" ? test.skip : test;
let linters: Linters;

beforeAll(async () => {
  if (typeof tools !== "string") {
    linters = await installLinters(tools);
  }
}, 900_000);

/** What actionlint says of a workflow, taken for one of an otherwise empty repository. */
function lintWorkflow(text: string): string {
  const root = mkdtempSync(join(tmpdir(), "pulumi-agb-lint-"));
  closeAfterTest({ close: () => rmSync(root, { recursive: true, force: true }) });
  const folder = join(root, ".github", "workflows");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "broken.yml"), text);
  return actionlint([join(folder, "broken.yml")], root);
}

function actionlint(parameters: readonly string[], directory: string): string {
  const all = ["-no-color", "-shellcheck", linters.shellcheck, "-pyflakes", "", ...parameters];
  const { status, stdout, stderr, error } = spawnSync(linters.actionlint, all, { cwd: directory, encoding: "utf8" });
  // 1: it found something.
  if (status !== 0 && status !== 1) {
    throw new Error(`actionlint failed: ${error ?? stderr}`);
  }
  return stdout;
}

/** What shellcheck, and the shell itself, say of a script. */
function lintScript(script: string, dialect: "bash" | "sh"): string {
  const options = { input: script, encoding: "utf8" } as const;
  const check = spawnSync(linters.shellcheck, ["--shell", dialect, "--format", "gcc", "-"], options);
  if (check.status !== 0 && check.status !== 1) {
    throw new Error(`shellcheck failed: ${check.error ?? check.stderr}`);
  }
  const syntax = spawnSync("bash", [...(dialect === "sh" ? ["--posix"] : []), "-n"], options);
  return `${check.stdout}${syntax.stderr}`;
}

testWithLinters("all workflow files are clean", () => {
  const files = workflowNames().map((name) => join(".github", "workflows", name));
  expect(files.length).toBeGreaterThan(4);
  expect(actionlint(files, repositoryDirectory)).toBe("");
});

testWithLinters.each([
  ["an expression with a mistake", "steps.up.outcome != 'skipped'", "nobody.knows != 'it'", "nobody"],
  ["an unquoted variable", '--commit "$COMMIT"', "--commit $COMMIT", "SC2086"],
  [
    "an input that the action does not have",
    "persist-credentials: false",
    "persist-passwords: false",
    "persist-passwords",
  ],
  ["a permission that there is not", "      pull-requests: write", "      pull-requests: maybe", "maybe"],
])("%s is found", (_, good, bad, finding) => {
  const text = readWorkflowText("preview.yml").replaceAll("3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "v4");
  expect(lintWorkflow(text)).toBe("");
  expect(lintWorkflow(text.replace(good, bad))).toContain(finding);
});

testWithLinters("the scripts of CI are clean", () => {
  expect(lintScript(readFileSync(join(repositoryDirectory, ".ci", "run"), "utf8"), "bash")).toBe("");
  const runs = workflowNames().flatMap((name) =>
    Object.values(readWorkflow(name).jobs).flatMap(({ steps = [] }) => steps),
  );
  const findings = runs.flatMap(({ run = "" }) => lintScript(`#!/bin/bash\n${run}\n`, "bash"));
  expect(findings.filter((text) => text !== "")).toEqual([]);
});

testWithLinters("the scripts for GitLab are clean, in any POSIX shell", () => {
  for (const { before_script = [], script = [], after_script = [] } of Object.values(readGitlabJobs())) {
    // GitLab's runner ends at the first command that fails; the scripts of `after_script` run in a shell of their own.
    expect(lintScript(["set -e", ...before_script, ...script].join("\n"), "sh")).toBe("");
    expect(lintScript(["set -e", ...after_script].join("\n"), "sh")).toBe("");
  }
});

testWithLinters("a broken script is found", () => {
  expect(lintScript("if true; then echo $HOME", "sh")).toMatch(/error/);
  expect(lintScript("rm -r $1", "sh")).toContain("SC2086");
});
