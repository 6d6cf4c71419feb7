import { chmod, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { runBounded } from "../support/bounded-process";
import { forgeToken, startForgeServer } from "../support/forge-server";
import { makeTemporaryFolder, repositoryRoot } from "../support/node-process";
import { sendJson } from "../support/scripted-server";

const command = join(repositoryRoot, "dist", "cli", "main.js");

/** A project's folder with a fake `pulumi`, which prints and ends as given, and the command that runs there. */
async function openProject(pulumi: { exitCode: number; stdout?: string; stderr?: string }) {
  const folder = await makeTemporaryFolder();
  const { exitCode, stdout = "", stderr = "" } = pulumi;
  await writeFile(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
  await writeFile(join(folder, "stdout"), stdout);
  await writeFile(join(folder, "stderr"), stderr);
  await writeFile(
    join(folder, "pulumi"),
    `#!/bin/sh\ncd '${folder}'\necho "$*" >> calls\ncat stdout\ncat stderr >&2\nexit ${exitCode}\n`,
  );
  await chmod(join(folder, "pulumi"), 0o755);
  const drift = (environment: Readonly<Record<string, string>>, ...parameters: string[]) =>
    runBounded(process.execPath, [command, "drift", ...parameters], {
      directory: folder,
      environment: { PATH: [folder, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter), ...environment },
      timeoutMs: 60_000,
    });
  const calls = () => readFile(join(folder, "calls"), "utf8").catch(() => "");
  return { folder, drift, calls };
}

test("without a forge the check does not start, and the message says how to run it anyway", async () => {
  const { drift, calls } = await openProject({ exitCode: 0 });
  const { gitHub } = await startForgeServer();
  const nowhere = await drift({}, "--stack", "prod");
  expect(nowhere.exitCode).toBe(1);
  expect(nowhere.stderr).toMatch(/Neither GitHub nor GitLab is known.*--no-issue\. \[AGB701\]/);
  const half = await drift({ ...gitHub, GITHUB_TOKEN: "" }, "--stack", "prod");
  expect(half.exitCode).toBe(1);
  expect(half.stderr).toMatch(/GITHUB_TOKEN is not set.*--no-issue\. \[AGB702\]/);
  expect(await calls()).toBe("");
});

test("--no-issue needs no forge and asks none", async () => {
  const { drift, calls } = await openProject({ exitCode: 7, stdout: "~ team\n" });
  const { gitHub, received } = await startForgeServer();
  for (const environment of [{}, gitHub]) {
    const { exitCode, stdout } = await drift(environment, "--stack", "acme/prod", "--no-issue");
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/~ team[\s\S]*Drift in shop\/prod\./);
  }
  expect(received).toEqual([]);
  expect((await calls()).split("\n")[0]).toBe(
    "preview --stack acme/prod --refresh --expect-no-changes --diff --color never --suppress-progress --non-interactive",
  );
});

test("GitLab gets the same issue as GitHub", async () => {
  const server = await startForgeServer();
  const dirty = await openProject({ exitCode: 7, stdout: "~ team\n" });
  expect((await dirty.drift(server.gitLab, "--stack", "prod")).exitCode).toBe(2);
  expect(server.issues[0]?.body).toContain("https://gitlab.test/acme/shop/-/jobs/55");
  const clean = await openProject({ exitCode: 0 });
  expect((await clean.drift(server.gitLab, "--stack", "prod")).exitCode).toBe(0);
  expect(server.issues).toEqual([expect.objectContaining({ title: "Drift in shop/prod", state: "closed" })]);
});

test.each([
  [1, "error: broken"],
  [6, "error: no stack named 'prod' found"],
  [255, "error: no changes were expected but changes were proposed"],
])("exit code %d of Pulumi is a failure that does not change the issue", async (code, stderr) => {
  const server = await startForgeServer();
  const { drift } = await openProject({ exitCode: code, stderr });
  const result = await drift(server.gitHub, "--stack", "prod");
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain(stderr);
  expect(/3\.227 or newer/.test(result.stderr)).toBe(code === 255);
  expect(server.received).toEqual([]);
});

test("drift that no issue could report is a failure, and is still printed", async () => {
  const server = await startForgeServer({
    intercept: ({ method }, response) => {
      if (method === "POST") {
        sendJson(response, { message: "Resource not accessible by integration" }, 403);
      }
      return method === "POST";
    },
  });
  const { drift } = await openProject({ exitCode: 7, stdout: "~ team\n" });
  const { exitCode, stdout, stderr } = await drift(server.gitHub, "--stack", "prod");
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/~ team[\s\S]*Drift in shop\/prod/);
  expect(stderr).toMatch(/Could not open an issue in acme\/shop.*permissions: issues: write/);
  expect(stdout + stderr).not.toContain(forgeToken);
});

test("a line of the preview is never a command to GitHub Actions", async () => {
  const { gitHub } = await startForgeServer();
  const dirty = await openProject({ exitCode: 7, stdout: "  ::error::fake\n" });
  const { stdout } = await dirty.drift(gitHub, "--stack", "prod", "--no-issue");
  const broken = await openProject({ exitCode: 1, stdout: "  ::error::fake\n" });
  const { stderr } = await broken.drift(gitHub, "--stack", "prod", "--no-issue");
  expect(stderr).toMatch(/^::error::pulumi-agb drift: .*\n$/);
  expect(stdout).toMatch(/^::stop-commands::([\w-]+)\n {2}::error::fake\n\n::\1::\nDrift/);
});

test("an invalid stack name and a folder without a project are refused", async () => {
  const { folder, drift, calls } = await openProject({ exitCode: 0 });
  for (const name of ["--help-me", "a b", "a\n::x", "a/b/c/d", ""]) {
    expect((await drift({}, `--stack=${name}`, "--no-issue")).exitCode).toBe(1);
  }
  await writeFile(join(folder, "Pulumi.yaml"), "");
  expect((await drift({}, "--stack", "prod", "--no-issue")).stderr).toMatch(
    /This folder has no Pulumi project.* \[AGB601\]/,
  );
  expect(await calls()).toBe("");
});
