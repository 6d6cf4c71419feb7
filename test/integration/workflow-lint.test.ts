// The workflow files: actionlint for mistakes, with shellcheck for the shell inside, and zizmor for what an attacker could
// use. The other scripts of CI: shellcheck and bash.

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

/** What actionlint says about a workflow that is the only one of its repository. */
function lintWorkflow(text: string): string {
  return inEmptyRepository(text, actionlint);
}

/** What zizmor says about a workflow that is the only one of its repository. */
function auditWorkflow(text: string): string {
  return inEmptyRepository(text, zizmor);
}

function inEmptyRepository(text: string, lint: (files: readonly string[], directory: string) => string): string {
  const root = mkdtempSync(join(tmpdir(), "pulumi-agb-lint-"));
  closeAfterTest({ close: () => rmSync(root, { recursive: true, force: true }) });
  const folder = join(root, ".github", "workflows");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "broken.yml"), text);
  return lint([join(folder, "broken.yml")], root);
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

/**
 * Every finding of zizmor's default persona counts, with any severity. The stricter personas report matters of taste.
 * Without a network: what GitHub knows of an action's versions could fail this test from one day to the next.
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
    // Its own variables could change what it finds.
    env: {},
  });
  // 11 to 14: it found something, the worst of it informational, low, medium or high.
  if (status !== 0 && (status === null || status < 11 || status > 14)) {
    throw new Error(`zizmor failed: ${error ?? stderr}`);
  }
  return status === 0 ? "" : stdout;
}

/** What shellcheck, and the shell itself, say about a script. */
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

testWithLinters("zizmor finds nothing in the workflow files that an attacker could use", () => {
  const files = workflowNames().map((name) => join(".github", "workflows", name));
  expect(zizmor(files, repositoryDirectory)).toBe("");
});

testWithLinters.each([
  [
    "the trigger with secrets for forks, without the reason why it is safe",
    / # zizmor: ignore.*/,
    "",
    "dangerous-triggers",
  ],
  [
    "a title that gets into a command",
    '--commit "$COMMIT"',
    `--commit "\${{ github.event.pull_request.title }}"`,
    "template-injection",
  ],
  ["an action whose version can be moved", /checkout@[0-9a-f]{40}/, "checkout@v7", "unpinned-uses"],
])("zizmor finds %s", (_, good, bad, finding) => {
  const text = readWorkflowText("preview.yml");
  expect(auditWorkflow(text)).toBe("");
  expect(auditWorkflow(text.replace(good, bad))).toContain(`[${finding}]`);
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
