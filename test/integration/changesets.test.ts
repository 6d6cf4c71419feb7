import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeAfterTest } from "../support/close-after-test";
import { repositoryDirectory } from "../support/workflow-files";

test("the manifest, the changelog and the changesets configuration of this project make a release", () => {
  const directory = mkdtempSync(join(tmpdir(), "pulumi-agb-changesets-"));
  closeAfterTest({ close: () => rmSync(directory, { recursive: true, force: true }) });
  const read = (name: string) => readFileSync(join(directory, name), "utf8");
  const run = (command: string, ...parameters: string[]) => {
    const env = { PATH: process.env["PATH"], HOME: directory, GIT_CONFIG_GLOBAL: join(directory, "gitconfig") };
    return execFileSync(command, parameters, { cwd: directory, env, encoding: "utf8", stdio: "pipe" });
  };
  for (const name of ["package.json", "CHANGELOG.md", ".changeset"]) {
    cpSync(join(repositoryDirectory, name), join(directory, name), { recursive: true });
  }
  writeFileSync(join(directory, ".gitignore"), "node_modules\ngitconfig\n.config\n");
  symlinkSync(join(repositoryDirectory, "node_modules"), join(directory, "node_modules"), "junction");
  run("git", "init", "--quiet", "--initial-branch", "main");
  run("git", "add", ".");
  run("git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message", "Start");
  const changeset = join(directory, "node_modules", ".bin", "changeset");
  const { version } = JSON.parse(read("package.json"));

  writeFileSync(join(directory, ".changeset", "new.md"), '---\n"pulumi-agb": major\n---\n\nSomething that is new.\n');
  run(changeset, "status");
  run(changeset, "version");

  const next = JSON.parse(read("package.json")).version;
  expect(next).not.toBe(version);
  expect(read("CHANGELOG.md")).toMatch(
    new RegExp(`^# [^#]*## ${next}\\n[^]*- [^\\n]*Something that is new.[^]*## 0.1.0`),
  );
});
